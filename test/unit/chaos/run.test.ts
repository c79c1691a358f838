import { expiredLease, LEASE, runOf, T0, traceOf, verdictOn } from './traces';

const life = expiredLease();

describe('P4, revealed once', () => {
  it('finds what the search for leaks has found', () => {
    expect(verdictOn(traceOf([life], { leaks: ['a credential of the lease in temporal.db'] }))).toEqual([['P4', null]]);
  });

  it('does not trust a search that left histories out', () => {
    const searched = { bytes: 1, files: 1, histories: 0, values: 1 };
    expect(verdictOn(traceOf([life], { searched }))).toEqual([['P4', null]]);
    for (const less of [{ values: 0 }, { files: 0 }]) {
      expect(verdictOn(traceOf([life], { searched: { ...searched, histories: 1, ...less } }))).toEqual([['P4', null]]);
    }
  });
});

describe('P7, upgrades', () => {
  it('does not trust a run of which nothing was replayed', () => {
    expect(verdictOn(traceOf([{ ...life, runs: [runOf({ replay: 'not tried' })] }]))).toEqual([['P7', null]]);
  });

  it('finds a history that does not replay', () => {
    const runs = [runOf({ replay: 'nondeterminism at event 17' })];
    expect(verdictOn(traceOf([{ ...life, runs }]))).toEqual([['P7', LEASE]]);
  });
});

describe('the programs', () => {
  it('are not to end by themselves', () => {
    const crashes = [{ process: 'worker-1', at: T0, how: 'exit code 1' }] as const;
    expect(verdictOn(traceOf([life], { crashes }))).toEqual([['programs', null]]);
  });
});
