import { judgeMarked } from '../../../../activities/sweep/verdict';
import type { SeenLease, SweepRules, Verdict } from '../../../../activities/sweep/verdict';

const NOW = new Date('2030-01-01T00:00:00.000Z');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const RULES: SweepRules = {
  now: NOW,
  graceMs: HOUR_MS,
  overdueAfterMs: HOUR_MS,
  longestTtlMs: 7 * DAY_MS,
  longestMarkMs: 7 * DAY_MS + 2 * HOUR_MS,
};

const UNKNOWN: SeenLease = { is: 'unknown', runId: null };
const FAR_OFF = new Date('9999-12-31T23:59:59.000Z');
const ago = (ms: number): Date => new Date(NOW.getTime() - ms);

function judge(expiresAt: Date | null, createdAt: Date | null, lease = UNKNOWN, rules = RULES): Verdict {
  return judgeMarked(lease, { deployment: 'testdepl', leaseId: 'lease', expiresAt }, createdAt, rules);
}

describe('the entity of a lease that Temporal does not know', () => {
  test('is removed once the expiry that it bears is past', () => {
    expect(judge(ago(1), ago(DAY_MS))).toMatchObject({ do: 'remove', reason: 'unknown' });
    expect(judge(ago(-1), ago(DAY_MS))).toEqual({ do: 'wait' });
  });

  test('is removed by its age where it bears an expiry that no lease can have', () => {
    expect(judge(FAR_OFF, ago(7 * DAY_MS + HOUR_MS))).toMatchObject({ do: 'remove', reason: 'unknown' });
    expect(judge(FAR_OFF, ago(7 * DAY_MS + HOUR_MS - 1))).toEqual({ do: 'wait' });
    expect(judge(null, ago(7 * DAY_MS + HOUR_MS))).toMatchObject({ do: 'remove', reason: 'unknown' });
  });

  test('is left alone until the latest expiry that a lease can have, grace included', () => {
    const createdAt = ago(7 * DAY_MS + 2 * HOUR_MS);
    const latest = createdAt.getTime() + RULES.longestMarkMs + RULES.graceMs;
    expect(judge(new Date(latest), createdAt)).toEqual({ do: 'wait' });
    expect(judge(new Date(latest + 1), createdAt)).toMatchObject({ do: 'remove' });
  });

  test('is left alone whatever expiry it bears where nobody knows when it was made', () => {
    expect(judge(FAR_OFF, null)).toEqual({ do: 'wait' });
  });

  test('is left alone whatever expiry it bears where nobody knows how long its leases may live', () => {
    expect(judge(FAR_OFF, ago(400 * DAY_MS), UNKNOWN, { ...RULES, longestMarkMs: Infinity })).toEqual({ do: 'wait' });
  });
});

test('the entity of a lease that is being provisioned is left alone until it is older than any lease gets', () => {
  const running: SeenLease = { is: 'running', runId: 'run', expiresAt: null, isRemoving: false };
  for (const mark of [FAR_OFF, null]) {
    expect(judge(mark, ago(7 * DAY_MS + HOUR_MS - 1), running)).toEqual({ do: 'keep' });
    expect(judge(mark, ago(7 * DAY_MS + HOUR_MS), running)).toMatchObject({ do: 'remove', reason: 'late' });
    expect(judge(mark, null, running)).toEqual({ do: 'keep' });
  }
  expect(judge(ago(HOUR_MS), ago(DAY_MS), running)).toMatchObject({ do: 'remove', reason: 'late' });
});
