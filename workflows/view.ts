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
    ['Ends', view.endedAt === null ? view.expiresAt : null],
    ['Ended', view.endedAt],
    ['End asked for by', view.endedBy === null ? null : cell(view.endedBy)],
    ['Reason', view.reason === null ? null : cell(view.reason)],
    ['Failure', view.failure === null ? null : `${view.failure.type}: ${cell(view.failure.message)}`],
    ['Remark', remark === null ? null : cell(remark)],
  ];
  const table = rows.filter((row) => row[1] !== null).map(([name, value]) => `| ${name} | ${String(value)} |`);
  const advice = ADVICE[view.state];
  return [
    '| Lease | ' + view.leaseId + ' |',
    '| --- | --- |',
    ...table,
    ...(advice === undefined ? [] : ['', advice]),
  ].join('\n');
}

const ADVICE: Partial<Record<LeaseView['state'], string>> = {
  provisioning: 'To stop it, send the signal `revoke`. It needs no input.',
  active: 'To end it now, send the signal `revoke`. It needs no input.',
  deprovisioning: 'Removal is under way and is retried until the provider confirms it.',
  stuck:
    'Removal does not succeed: the last failure of the pending activity says why. It is retried for ever. ' +
    '`nudge` tries at once; `abandon` gives up and leaves the entity to the sweep.',
};

/** Text from outside, made harmless inside a Markdown table. */
export function cell(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|~]/g, '\\$&');
}
