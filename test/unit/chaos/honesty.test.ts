import {
  changeOf,
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

describe('P8, honest', () => {
  it('finds a lease that was said to be revoked while its entity was there', () => {
    const life = revokedLease();
    const runs = [{ ...life.runs[0]!, closedAt: T0 + 16_000 }];
    const shown = [{ from: 700, to: 15_500, entity: entityOf(LEASE) }];
    expect(verdictOn(traceOf([{ ...life, uses: [], runs, shown }]))).toEqual([['P8', LEASE]]);
    const accepted = life.changes.map((change) => ({ ...change, state: 'accepted' as const }));
    expect(verdictOn(traceOf([{ ...life, uses: [], runs, shown, changes: accepted }]))).toEqual([]);
  });

  it('finds a credential that works after its lease has ended', () => {
    const life = expiredLease();
    expect(verdictOn(traceOf([{ ...life, uses: [useOf(34_000, 'ok')] }]))).toEqual([['P8', LEASE]]);
  });

  it('finds a TTL over the maximum that was not refused', () => {
    const life = expiredLease();
    const long = issueOf(LEASE, {
      ttlMs: 600_000,
      outcome: { is: 'delivered', leaseId: LEASE, expiresAt: T0 + 601_000, identity: 'AKIAAAAA' },
    });
    const lives = [{ ...life, uses: [], issues: [long], runs: [runOf({ expiresAt: 601_000 })] }];
    expect(verdictOn(traceOf(lives))).toContainEqual(['P8', LEASE]);
    const refused = { is: 'refused', code: 'InvalidTtl', leaseId: null, undelivered: null } as const;
    const clean = {
      ...life,
      issues: [{ ...long, outcome: refused }],
      uses: [],
      runs: [],
      deeds: [],
      lines: [],
      shown: [],
    };
    expect(verdictOn(traceOf([clean]))).toEqual([]);
    const planned = { ...long, outcome: { ...refused, leaseId: LEASE } };
    expect(verdictOn(traceOf([{ ...life, issues: [planned] }]))).toEqual([['P8', LEASE]]);
  });

  it('finds a TTL that was cut, and one that is longer than was asked for', () => {
    const life = expiredLease();
    for (const ttlMs of [31_000, 29_000]) {
      expect(verdictOn(traceOf([{ ...life, issues: [issueOf(LEASE, { ttlMs })] }]))).toEqual([['P8', LEASE]]);
    }
  });

  it('finds an extension that was accepted and is not in force', () => {
    const life = { ...expiredLease(), lines: [...expiredLease().lines, lineOf('extended'), lineOf('extended')] };
    const changes = [changeOf({ what: 'extend', ttlMs: 20_500, expiresAt: 30_900 })];
    expect(verdictOn(traceOf([{ ...life, changes }]))).toEqual([['P8', LEASE]]);
    const runs = [runOf({ expiresAt: 30_900 })];
    expect(verdictOn(traceOf([{ ...life, changes, runs }]))).toEqual([]);
    const unknown = [...changes, changeOf({ what: 'extend', askedAt: 12_000, ttlMs: 18_000, answer: 'unknown' })];
    expect(verdictOn(traceOf([{ ...life, changes: unknown }]))).toEqual([]);
  });

  it('finds an end that was said before the removal was done, though nobody looked between', () => {
    const life = { ...revokedLease(), shown: [{ from: 700, to: 10_400, entity: entityOf(LEASE) }] };
    const runs = [{ ...life.runs[0]!, closedAt: T0 + 10_400 }];
    expect(verdictOn(traceOf([{ ...life, runs }]))).toEqual([['P8', LEASE]]);
    const [made] = life.deeds;
    expect(verdictOn(traceOf([{ ...life, deeds: [made!] }]))).toEqual([['P8', LEASE]]);
    const changes = life.changes.map((change) => ({ ...change, answeredAt: T0 + 10_300 }));
    expect(verdictOn(traceOf([{ ...life, changes }]))).toEqual([['P8', LEASE]]);
  });

  it('finds that callers and workflow tell different ends, and an end that nobody had asked for', () => {
    const life = revokedLease();
    const changes = life.changes.map((change) => ({ ...change, state: 'expired' as const }));
    expect(verdictOn(traceOf([{ ...life, changes }]))).toEqual([['P8', LEASE]]);
    const unasked = { ...expiredLease(), runs: [runOf({ state: 'revoked', endedBy: 'token:ada' })] };
    const lines = [...unasked.lines.slice(0, 2), lineOf('revoked')];
    expect(verdictOn(traceOf([{ ...unasked, lines }]))).toEqual([['P8', LEASE]]);
  });

  it('finds an expiry that is counted from before the credential was made', () => {
    const runs = [runOf({ provisionedAt: 1_100 })];
    expect(verdictOn(traceOf([{ ...expiredLease(), runs }]))).toEqual([['P8', LEASE]]);
  });

  it('says nothing of one whose making took a little more than all of its time', () => {
    const life = expiredLease();
    const issue = issueOf(LEASE, { answeredAt: T0 + 21_000 });
    const outcome = { ...issue.outcome, expiresAt: T0 + 50_600 } as typeof issue.outcome;
    const ended = { deprovisionScheduledAt: 50_650, expiresAt: 50_600, endedAt: 51_300, closedAt: 51_400 };
    const verdict = (startedAt: number): unknown =>
      verdictOn(
        traceOf([
          {
            ...life,
            uses: [],
            issues: [{ ...issue, outcome }],
            runs: [runOf({ ...ended, startedAt, provisionedAt: 20_700 })],
            deeds: [life.deeds[0]!, { ...life.deeds[1]!, at: T0 + 51_100 }],
            shown: [{ ...life.shown[0]!, to: 51_200 }],
          },
        ]),
      );
    expect(verdict(550)).not.toContainEqual(['P8', LEASE]);
    expect(verdict(700)).toContainEqual(['P8', LEASE]);
  });
});
