import type { NotifyInput, OpenIncident, Survey } from './contract';
import { formatTtl } from './ttl';

type Notice = Omit<NotifyInput, 'webhook'>;

/** What people are told when leases of an integration cannot be removed. */
export function stuckNotice(integration: string, incident: OpenIncident, survey: Survey, at: string): Notice {
  const { example } = survey;
  const many = survey.stuck === 1 ? '1 lease is' : `${survey.stuck} leases are`;
  const last =
    example?.failure ??
    'No worker has reported a failure: does one serve this integration, and is it still configured?';
  return {
    id: `${incident.id}/stuck${incident.alerts === 0 ? '' : `/${String(incident.alerts + 1)}`}`,
    kind: 'stuck',
    title: `Leasehold: credentials of ${integration} cannot be removed`,
    text:
      `${many} stuck: time is over and the provider has not confirmed the removal. ` +
      (example === null ? '' : `Lease ${example.leaseId}: ${last} `) +
      'Removal goes on, and begins within seconds of when it can succeed, at the rate that the integration allows.',
    at,
    facts: { integration, stuck: survey.stuck, removing: survey.removing, lease: example?.leaseId ?? null },
  };
}

/** What the same people are told when it is over. */
export function recoveredNotice(integration: string, incident: OpenIncident, at: string): Notice {
  const lasted = formatTtl(Date.parse(at) - Date.parse(incident.openedAt));
  return {
    id: `${incident.id}/recovered`,
    kind: 'recovered',
    title: `Leasehold: no lease of ${integration} is stuck any more`,
    text:
      `It lasted ${lasted}, since ${incident.openedAt}. ` +
      'What a lease that was abandoned meanwhile left at the provider, the sweep goes on trying to remove.',
    at,
    facts: { integration, openedAt: incident.openedAt, alertedAt: incident.alertedAt },
  };
}

/** What an operator reads on the incident's page in the Temporal Web UI. */
export function incidentDetails(integration: string, incident: OpenIncident): string {
  return [
    `| Removals of ${integration} fail | |`,
    '| --- | --- |',
    `| Since | ${incident.openedAt} |`,
    `| People were told | ${incident.alertedAt ?? 'no: no lease is stuck yet'} |`,
    `| Stuck when last looked | ${incident.stuck} |`,
    `| All waiting removals were nudged | ${incident.nudgedAt ?? 'not yet'} |`,
    '',
    'The last failure of the pending activity `probe` says why. It tries one of the removals every ten seconds; once one',
    'succeeds, all that wait are nudged. It ends by itself when nothing is stuck any more.',
  ].join('\n');
}
