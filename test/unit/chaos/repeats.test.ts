import {
  changeOf,
  entityOf,
  expiredLease,
  identityOf,
  issueOf,
  LEASE,
  lineOf,
  OTHER,
  revokedLease,
  runOf,
  T0,
  traceOf,
  verdictOn,
} from './traces';

const key = { idempotencyKey: 'deploy-42' };
const delivered = lineOf('delivered', LEASE, { id: 'again' });

describe('P5, idempotent', () => {
  it('finds nothing where callers share a lease by one key, and where ten revoke it', () => {
    const life = revokedLease();
    const issues = [issueOf(LEASE, key), issueOf(LEASE, { ...key, answeredAt: T0 + 1_300 })];
    const revoke = changeOf({ what: 'revoke', askedAt: 10_050, state: 'accepted' });
    const changes = [...life.changes, ...Array.from({ length: 9 }, () => revoke)];
    expect(verdictOn(traceOf([{ ...life, issues, changes, lines: [...life.lines, delivered] }]))).toEqual([]);
  });

  it('finds two leases of one key', () => {
    const life = expiredLease();
    const other = expiredLease(OTHER);
    const lives = [
      { ...life, issues: [issueOf(LEASE, key)] },
      { ...other, issues: [issueOf(OTHER, key)] },
    ];
    expect(verdictOn(traceOf(lives))).toEqual([['P5', LEASE]]);
  });

  it('finds two credentials of one lease', () => {
    const life = expiredLease();
    const outcome = { is: 'delivered', leaseId: LEASE, expiresAt: T0 + 31_000, identity: 'AKIAOTHER' } as const;
    const issues = [issueOf(LEASE, key), issueOf(LEASE, { ...key, outcome, answeredAt: T0 + 1_300 })];
    const lives = [{ ...life, issues, lines: [...life.lines, delivered] }];
    expect(verdictOn(traceOf(lives))).toEqual([['P5', LEASE]]);
  });

  it('finds a second thing to sign in with', () => {
    const life = expiredLease();
    const shown = [{ from: 700, to: 31_600, entity: entityOf(LEASE, [identityOf(LEASE), 'AKIAOTHER']) }];
    expect(verdictOn(traceOf([{ ...life, shown }]))).toEqual([['P5', LEASE]]);
  });

  it('finds a second entity', () => {
    const life = expiredLease();
    const second = { ...entityOf(LEASE, []), name: `other-abcdefgh-${LEASE}` };
    const shown = [...life.shown, { from: 2_000, to: 31_600, entity: second }];
    expect(verdictOn(traceOf([{ ...life, shown }]))).toContainEqual(['P5', LEASE]);
  });

  it('finds a second removal that the provider did', () => {
    const life = expiredLease();
    const again = { ...life.deeds[1]!, at: life.deeds[1]!.at + 50 };
    expect(verdictOn(traceOf([{ ...life, deeds: [...life.deeds, again] }]))).toEqual([['P5', LEASE]]);
    expect(verdictOn(traceOf([{ ...life, deeds: [...life.deeds, { ...again, done: false }] }]))).toEqual([]);
  });

  it('finds a removal that was begun twice, and knows a nudge', () => {
    const life = expiredLease();
    expect(verdictOn(traceOf([{ ...life, runs: [runOf({ removals: 2 })] }]))).toEqual([['P5', LEASE]]);
    expect(verdictOn(traceOf([{ ...life, runs: [runOf({ removals: 2, nudges: 1 })] }]))).toEqual([]);
  });
});
