import {
  changeOf,
  deedOf,
  entityOf,
  expiredLease,
  issueOf,
  LEASE,
  lineOf,
  revokedLease,
  runOf,
  T0,
  traceOf,
  useOf,
  verdictOn,
} from './traces';
import type { Life } from './traces';

/** Gone at 20 s, eleven seconds before its expiry, by a removal that was scheduled then. */
function endedEarly(over: Partial<Life> = {}): Life {
  const life = expiredLease();
  return {
    ...life,
    uses: [],
    runs: [runOf({ deprovisionScheduledAt: 20_000, endedAt: 20_700, closedAt: 20_800 })],
    deeds: [life.deeds[0]!, deedOf({ operation: 'DeleteAccessKey', effect: 'removes', at: 20_400 })],
    shown: [{ from: 700, to: 20_500, entity: entityOf(LEASE) }],
    ...over,
  };
}

/** Extended at 10 s to 70 s, and removed then. */
function extended(over: Partial<Life> = {}): Life {
  const life = expiredLease();
  return {
    ...life,
    changes: [changeOf({ what: 'extend', ttlMs: 60_000, expiresAt: 70_200 })],
    lines: [...life.lines, lineOf('extended')],
    uses: [],
    runs: [runOf({ expiresAt: 70_200, deprovisionScheduledAt: 70_250, endedAt: 70_900, closedAt: 71_000 })],
    deeds: [life.deeds[0]!, deedOf({ operation: 'DeleteAccessKey', effect: 'removes', at: 70_600 })],
    shown: [{ from: 700, to: 70_700, entity: entityOf(LEASE) }],
    ...over,
  };
}

const promises = (life: Life): Set<string> => new Set(verdictOn(traceOf([life])).map(([promise]) => promise));

describe('P2, never early', () => {
  it('finds nothing in a lease that was extended and lived to its new expiry', () => {
    expect(verdictOn(traceOf([extended()]))).toEqual([]);
  });

  it('finds a removal that was scheduled before the expiry', () => {
    const life = endedEarly({ deeds: expiredLease().deeds, shown: expiredLease().shown });
    expect(verdictOn(traceOf([{ ...life, runs: [runOf({ deprovisionScheduledAt: 30_900 })] }]))).toEqual([
      ['P2', LEASE],
    ]);
  });

  it.each(['revoke', 'bulk-revoke', 'cancel', 'terminate', 'reset'] as const)('allows it after a %s', (what) => {
    const changes = [changeOf({ what, askedAt: 19_900, answeredAt: 20_050 })];
    expect(promises(endedEarly({ changes }))).not.toContain('P2');
    expect(promises(endedEarly({ changes: [changeOf({ what, askedAt: 22_000 })] }))).toContain('P2');
  });

  it('allows it where the filter of a bulk revoke means the lease, and not where it means another holder', () => {
    const change = changeOf({ what: 'bulk-revoke', leaseIds: [], askedAt: 19_900, answeredAt: 20_000 });
    const of = (holder: string, endedBy: string): Life => {
      const [run] = endedEarly().runs;
      return endedEarly({
        changes: [{ ...change, filter: { holder, integration: 'aws' } }],
        runs: [{ ...run!, endedBy }],
      });
    };
    expect(promises(of('token:ada', 'token:admin'))).not.toContain('P2');
    expect(promises(of('token:bob', 'token:admin'))).toContain('P2');
    // It meant only what was asked for before its block kept that out: who ended this one says so.
    expect(promises(of('token:ada', 'token:ada'))).toContain('P2');
  });

  it('does not take an abandon for a wish to end', () => {
    expect(promises(endedEarly({ changes: [changeOf({ what: 'abandon', askedAt: 19_900 })] }))).toContain('P2');
  });

  it('allows it after a shortening whose answer was lost, and not after one that was refused', () => {
    const of = (answer: string): Life => endedEarly({ changes: [changeOf({ what: 'shorten', ttlMs: 9_900, answer })] });
    expect(promises(of('unknown'))).not.toContain('P2');
    expect(promises(of('IssueTimeout'))).not.toContain('P2');
    expect(promises(of('Refused'))).toContain('P2');
    expect(promises(of('InvalidTtl'))).toContain('P2');
  });

  it('allows it at the old expiry where the answer of an extension was lost, and not where it was accepted', () => {
    const early = { runs: expiredLease().runs, deeds: expiredLease().deeds, shown: expiredLease().shown };
    const lost = [changeOf({ what: 'extend', ttlMs: 60_000, answer: 'unknown' })];
    expect(promises(extended({ ...early, changes: lost }))).not.toContain('P2');
    expect(promises(extended(early))).toContain('P2');
  });

  it('holds to the last of two extensions that followed each other', () => {
    const changes = [
      changeOf({ what: 'extend', ttlMs: 60_000, expiresAt: 70_200 }),
      changeOf({ what: 'shorten', askedAt: 12_000, answeredAt: 12_500, ttlMs: 28_000, expiresAt: 40_200 }),
    ];
    expect(promises(extended({ changes }))).not.toContain('P2');
    expect(promises(endedEarly({ changes }))).toContain('P2');
  });

  it('finds a credential that was gone from the provider, by what the provider shows alone', () => {
    const life = expiredLease();
    const shown = [{ from: 700, to: 20_000, entity: entityOf(LEASE) }];
    expect(verdictOn(traceOf([{ ...life, shown }]))).toEqual([['P2', LEASE]]);
  });

  it('finds a credential that was replaced by another, by what the provider shows alone', () => {
    const life = expiredLease();
    const shown = [
      { from: 700, to: 20_000, entity: entityOf(LEASE) },
      { from: 20_001, to: 31_600, entity: entityOf(LEASE, ['AKIAOTHER']) },
    ];
    expect(verdictOn(traceOf([{ ...life, shown }]))).toEqual([['P2', LEASE]]);
  });

  it('finds a deed that came too late, though everything looks right between two looks', () => {
    const life = expiredLease();
    for (const zombie of [
      deedOf({ operation: 'DeleteAccessKey', effect: 'removes', at: 1_100 }),
      deedOf({ operation: 'SetPassword', effect: 'other', at: 1_100 }),
      deedOf({ operation: 'DeleteUserPolicy', effect: 'other', at: 1_100 }),
    ]) {
      expect(verdictOn(traceOf([{ ...life, deeds: [...life.deeds, zombie] }]))).toContainEqual(['P2', LEASE]);
      expect(verdictOn(traceOf([{ ...life, deeds: [...life.deeds, { ...zombie, done: false }] }]))).toEqual([]);
    }
  });

  it('finds a credential that does not work, and knows a provider that did not answer from one that refused', () => {
    const life = expiredLease();
    expect(verdictOn(traceOf([{ ...life, uses: [useOf(10_000, 'InvalidClientTokenId')] }]))).toEqual([['P2', LEASE]]);
    expect(verdictOn(traceOf([{ ...life, uses: [useOf(10_000, 'unreachable')] }]))).toEqual([]);
  });

  it('says nothing of a credential that nobody got', () => {
    const refused = issueOf(LEASE, {
      outcome: { is: 'refused', code: 'Aborted', leaseId: LEASE, undelivered: 'revoke accepted' },
    });
    expect(promises(endedEarly({ issues: [refused] }))).not.toContain('P2');
  });

  it('says nothing of a lease that had expired before its answer came', () => {
    const late = issueOf(LEASE, { answeredAt: T0 + 33_000 });
    expect(promises({ ...expiredLease(), issues: [late] })).not.toContain('P2');
  });

  it('does not excuse a lease by the end of an earlier one of its idempotency key', () => {
    const cancel = changeOf({ what: 'cancel', askedAt: 300, answeredAt: 400 });
    const first = runOf({ runId: 'run-0', startedAt: 200, plannedAt: 250, provisionedAt: null, closedAt: 500 });
    const life = endedEarly();
    expect(promises({ ...life, changes: [cancel], runs: [first, ...life.runs] })).toContain('P2');
  });

  it('finds nothing in a lease that its holder revoked', () => {
    expect(verdictOn(traceOf([revokedLease()]))).toEqual([]);
  });
});
