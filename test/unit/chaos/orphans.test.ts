import {
  deedOf,
  entityOf,
  expiredLease,
  LEASE,
  OTHER,
  revokedLease,
  runOf,
  T0,
  terminatedLease,
  traceOf,
  verdictOn,
} from './traces';

describe('P1, no orphan', () => {
  it('finds nothing in leases that expired, were revoked, or were terminated and swept', () => {
    const lives = [expiredLease(), revokedLease(OTHER), terminatedLease('c'.repeat(24))];
    expect(verdictOn(traceOf(lives))).toEqual([]);
  });

  it('finds an entity that is there after its lease said that it had ended', () => {
    const life = expiredLease();
    const shown = [{ from: 700, to: 40_000, entity: entityOf(LEASE) }];
    expect(verdictOn(traceOf([{ ...life, shown }]))).toEqual([['P1', LEASE]]);
  });

  it('finds an entity of a lease that failed before it had a plan', () => {
    const life = expiredLease();
    const run = runOf({
      state: 'failed',
      plannedAt: null,
      provisionedAt: null,
      deprovisionScheduledAt: null,
      closedAt: 700,
    });
    const lives = [{ ...life, issues: [], uses: [], runs: [run], deeds: [], lines: [] }];
    expect(verdictOn(traceOf(lives))).toContainEqual(['P1', LEASE]);
  });

  it('finds an entity that was made before its plan was in history', () => {
    const life = expiredLease();
    expect(verdictOn(traceOf([{ ...life, runs: [runOf({ plannedAt: 900 })] }]))).toEqual([['P1', LEASE]]);
  });

  it('finds an entity that was made after its lease had ended, though it was gone before anybody looked', () => {
    const life = expiredLease();
    const deeds = [...life.deeds, deedOf({ at: 36_200 }), deedOf({ effect: 'removes', at: 36_400 })];
    expect(verdictOn(traceOf([{ ...life, deeds }]))).toContainEqual(['P1', LEASE]);
  });

  it('finds an entity of another name than its plan says', () => {
    const life = expiredLease();
    const entity = { ...entityOf(LEASE), name: `leasehold-x-abcdefgh-${LEASE}` };
    expect(verdictOn(traceOf([{ ...life, shown: [{ ...life.shown[0]!, entity }] }]))).toEqual([['P1', LEASE]]);
  });

  it('finds an entity of which Temporal knows no lease', () => {
    const life = expiredLease();
    const lives = [{ ...life, issues: [], uses: [], runs: [], lines: [], deeds: [] }];
    expect(verdictOn(traceOf(lives))).toEqual([['P1', LEASE]]);
  });

  it('finds what a terminated lease left, if no sweep has removed it at the end', () => {
    const life = terminatedLease();
    const shown = [{ from: 700, to: 200_000, entity: entityOf(LEASE) }];
    const lines = life.lines.filter(({ event }) => event !== 'swept');
    expect(verdictOn(traceOf([{ ...life, shown, lines }]))).toEqual([['P1', LEASE]]);
  });

  it('finds a thing with our mark that bears no name of a lease', () => {
    const life = expiredLease();
    const entity = { integration: 'aws', name: 'leasehold-abcdefgh-x', leaseId: null, identities: [] } as const;
    const shown = [...life.shown, { from: 5_000, to: 200_000, entity }];
    expect(verdictOn(traceOf([{ ...life, shown }]))).toEqual([['P1', null]]);
  });

  it('leaves to the sweep what a call makes that was under way when its lease was terminated, and no later one', () => {
    const life = terminatedLease();
    const soon = [...life.deeds, deedOf({ at: 10_500 })];
    expect(verdictOn(traceOf([{ ...life, issues: [], deeds: soon }]))).toEqual([]);
    const late = [...life.deeds, deedOf({ at: 25_000 })];
    expect(verdictOn(traceOf([{ ...life, issues: [], deeds: late }]))).toEqual([['P1', LEASE]]);
  });

  it('lets a lease that was reset live on in its second run', () => {
    const life = expiredLease();
    const runs = [
      runOf({ status: 'TERMINATED', state: null, closedAt: 5_000, deprovisionScheduledAt: null, removals: 0 }),
      runOf({ runId: 'run-2', plannedAt: 5_100, provisionedAt: 6_000 }),
    ];
    const changes = [{ ...revokedLease().changes[0]!, what: 'reset' as const, askedAt: T0 + 4_900, state: null }];
    const lines = [
      ...life.lines,
      ...life.lines.map((line) => ({ ...line, id: line.id.replace('run-1', 'run-2') })),
    ].filter(({ id }) => id !== `${LEASE}/run-1/expired`);
    expect(verdictOn(traceOf([{ ...life, uses: [], runs, changes, lines }]))).toEqual([]);
  });

  it('finds that nobody looked for long, and that nobody saw a delivered credential made', () => {
    const trace = traceOf([expiredLease()]);
    const unseen = trace.snapshots.filter((_, index) => index < 30 || index > 52);
    expect(verdictOn({ ...trace, snapshots: unseen })).toEqual([['P1', null]]);
    const unmade = trace.deeds.filter(({ effect }) => effect !== 'makes');
    expect(verdictOn({ ...trace, deeds: unmade })).toContainEqual(['P1', LEASE]);
  });

  it('does not trust a run at whose end nobody looked', () => {
    const trace = traceOf([expiredLease()]);
    expect(verdictOn({ ...trace, snapshots: trace.snapshots.slice(0, 30) })).toEqual([['P1', null]]);
    expect(verdictOn({ ...trace, snapshots: [] })).toContainEqual(['P1', null]);
  });
});
