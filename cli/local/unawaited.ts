import { ISSUE_TIMEOUT_MS } from '../../client/input';
import type { Config } from '../../config/load';
import { formatTtl } from '../../workflows/ttl';

/** What of an integration's `issue_timeout` is of no use to those who ask over HTTP; null: they wait for all of it. */
export function explainUnawaited({ integrations }: Config, integration: string): string | null {
  const { timings } = integrations[integration] ?? {};
  if (timings === undefined || timings.issueTimeoutMs <= ISSUE_TIMEOUT_MS) return null;
  const [written, waited] = [timings.issueTimeoutMs, ISSUE_TIMEOUT_MS].map(formatTtl);
  return (
    `timings.issue_timeout is ${written}, and an issue over HTTP, as from the command line, is waited for ${waited}: a credential that takes ` +
    'longer is removed again. Programs with the library on Temporal wait longer if they give a timeoutMs.'
  );
}
