import type { LeaseInput, LeaseView } from './contract';

/** The view of a lease that has just been requested. */
export function beginView(leaseId: string, input: LeaseInput, now: Date): LeaseView {
  return {
    leaseId,
    state: 'provisioning',
    project: input.project,
    config: input.config,
    dynamicSecret: input.dynamicSecret,
    holder: input.holder,
    integration: null,
    entity: null,
    requestedAt: now.toISOString(),
    issuedAt: null,
    expiresAt: null,
    delivered: false,
    extensions: 0,
    endedBy: null,
    reason: null,
    endedAt: null,
    failure: null,
  };
}

/** What an operator reads on the lease's page in the Temporal Web UI: a small Markdown table. */
export function detailsOf(view: LeaseView, remark: string | null): string {
  const rows: [string, string | null][] = [
    ['State', `**${view.state}**`],
    ['Dynamic secret', cell(`${view.project} / ${view.config} / ${view.dynamicSecret}`)],
    ['Holder', cell(view.holder)],
    ['Entity', view.entity === null ? null : `${cell(view.entity)} (integration ${cell(view.integration ?? '')})`],
    ['Requested', view.requestedAt],
    ['Issued', view.issuedAt === null ? null : `${view.issuedAt}${view.delivered ? ', handed over' : ''}`],
    ['Extensions', view.extensions === 0 ? null : String(view.extensions)],
    [isComing(view) ? 'Ends' : 'Was to end', view.expiresAt],
    ['Ended', view.endedAt],
    ['End asked for by', view.endedBy === null ? null : cell(view.endedBy)],
    ['Reason', view.reason === null ? null : cell(view.reason)],
    ['Failure', view.failure === null ? null : `${view.failure.type}: ${cell(view.failure.message)}`],
    ['Remark', remark === null ? null : cell(remark)],
  ];
  const table = rows.filter((row) => row[1] !== null).map(([name, value]) => `| ${name} | ${String(value)} |`);
  return ['| Lease | ' + view.leaseId + ' |', '| --- | --- |', ...table, '', ADVICE[view.state]].join('\n');
}

const REVOKE = 'To end it now, send the signal `revoke`, which needs no input, or cancel it. Do not terminate it.';
const GONE = 'It is over, and nothing of it is left at the provider. There is nothing to do.';

/** What there is to do now, for somebody who did not write this. */
const ADVICE: Readonly<Record<LeaseView['state'], string>> = {
  provisioning: REVOKE,
  active: REVOKE,
  deprovisioning:
    'Removal is under way and is retried until the provider confirms it. There is nothing to do: if it takes too long, ' +
    'the lease becomes `stuck`.',
  stuck:
    'Removal does not succeed: the last failure on the tab *Pending Activities* says why. It is retried for ever, and ends by ' +
    'itself when the cause is gone. The signal `nudge` tries at once; `abandon` gives up and leaves the entity to the sweep.',
  expired: GONE,
  revoked: GONE,
  failed:
    'The row *Failure* says why. No credential was handed over, and what had been made is removed. There is nothing to do here.',
  abandoned: 'It was given up: **the entity may still be at the provider**. The sweep goes on trying to remove it.',
};

/** Whether the expiry is still what ends the lease. */
function isComing({ state, endedBy }: LeaseView): boolean {
  return endedBy === null && (state === 'provisioning' || state === 'active');
}

/** Text from outside, made harmless inside a Markdown table. */
export function cell(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|~]/g, '\\$&');
}
