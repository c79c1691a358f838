import type { LeaseInput } from '../workflows/contract';

const MAX_SUMMARY_BYTES = 200;

/** The one line by which Temporal's Web UI shows a lease. */
export function summaryOf({ project, config, dynamicSecret, holder }: LeaseInput): string {
  return summaryLine(`${project}/${config} ${dynamicSecret} for ${holder}`);
}

/** Text that may hold what is from outside, fit for that line. */
export function summaryLine(text: string): string {
  return cut(text.replace(/[\\`*{}[\]<>|~]/g, ' '), MAX_SUMMARY_BYTES);
}

/**
 * What an operator reads about any lease, also where no worker runs: how to end it. Only the id and the namespace are from outside.
 * It is stored with each lease, so it is short.
 */
export function detailsOf(leaseId: string, namespace: string): string {
  return [
    'To end this lease now: *Cancel*, or the signal `revoke`, which needs no input:',
    '',
    `    temporal workflow signal --namespace ${namespace.replace(/[^\w.-]/g, '?')} --workflow-id ${leaseId} --name revoke`,
    '',
    '**Do not terminate it**: the credential would stay at the provider.',
  ].join('\n');
}

/** Cuts between characters. */
function cut(text: string, maxBytes: number): string {
  let kept = '';
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    kept += character;
  }
  return kept;
}
