import type { SelfEnding } from '../integration';

/** AWS makes no session of less, and none of more. */
const SHORTEST_S = 900;
const LONGEST_S = 12 * 3_600;

/**
 * For how long a session is asked. The TTL counts from the end of provision: the session must outlast it by whatever may go by
 * between the call that makes it and that instant.
 */
export function durationSeconds(ttlMs: number, issueTimeoutMs: number): number {
  return Math.ceil((ttlMs + issueTimeoutMs) / 1_000);
}

/** The TTLs for which {@link durationSeconds} is what AWS accepts. */
export function sessionSpan(issueTimeoutMs: number): SelfEnding {
  return {
    minTtlMs: Math.max(SHORTEST_S * 1_000 - issueTimeoutMs, 1_000),
    maxTtlMs: LONGEST_S * 1_000 - issueTimeoutMs,
    why:
      'AWS makes sessions of 15 minutes to 12 hours, nobody can end one before its time, ' +
      'and it has to outlast its lease by the issue_timeout of the integration.',
    outlivesMs: issueTimeoutMs + 1_000,
  };
}
