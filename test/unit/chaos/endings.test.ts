import {
  changeOf,
  expiredLease,
  faultOf,
  LEASE,
  lineOf,
  runOf,
  T0,
  terminatedLease,
  traceOf,
  verdictOn,
} from './traces';
import type { Life } from './traces';

const down = { do: 'provider-down', integration: 'aws', forMs: 20_000 } as const;

/** Due at 31 s, stuck at 35 s, gone and over then. */
function heldUpUntil(at: number): Life {
  const life = expiredLease();
  return {
    ...life,
    uses: [],
    runs: [runOf({ stuckAt: 35_000, endedAt: at + 200, closedAt: at + 250 })],
    deeds: [life.deeds[0]!, { ...life.deeds[1]!, at: T0 + at }],
    shown: [{ ...life.shown[0]!, to: at }],
  };
}

describe('P3, never given up', () => {
  it('finds nothing in a lease that was stuck until its provider came back', () => {
    const faults = [faultOf(down, 20_000, 50_000)];
    expect(verdictOn(traceOf([heldUpUntil(55_000)], { faults }))).toEqual([]);
  });

  it('finds a lease that has not ended', () => {
    const run = runOf({ status: 'RUNNING', state: null, closedAt: null, endedAt: null });
    expect(verdictOn(traceOf([{ ...expiredLease(), runs: [run], lines: expiredLease().lines.slice(0, 2) }]))).toEqual([
      ['P3', LEASE],
    ]);
  });

  it('finds one that ends more than seconds after its provider came back', () => {
    const faults = [faultOf(down, 20_000, 40_000)];
    expect(verdictOn(traceOf([heldUpUntil(75_000)], { faults }))).toEqual([['P3', LEASE]]);
    const another = faultOf({ do: 'kill', process: 'worker-1', downMs: 3_000 }, 60_000, 63_000);
    expect(verdictOn(traceOf([heldUpUntil(75_000)], { faults: [...faults, another] }))).toEqual([]);
  });

  it('finds one that ends more than seconds after all faults were over', () => {
    const alerts = [{ at: T0 + 40_000, event: 'stuck', integration: 'aws' }];
    const healed = { healedAt: T0 + 32_000, alerts };
    expect(verdictOn(traceOf([heldUpUntil(95_000)], healed))).toEqual([['P3', LEASE]]);
    expect(verdictOn(traceOf([heldUpUntil(85_000)], healed))).toEqual([]);
  });

  it('finds one that was given up, unless that was asked for', () => {
    const life = { ...expiredLease(), runs: [runOf({ state: 'abandoned' })] };
    const lines = [...life.lines.slice(0, 2), lineOf('abandoned')];
    expect(verdictOn(traceOf([{ ...life, lines }]))).toEqual([['P3', LEASE]]);
    const changes = [changeOf({ what: 'abandon', askedAt: 31_200, answeredAt: 31_300 })];
    expect(verdictOn(traceOf([{ ...life, lines, changes }]))).toEqual([]);
  });

  it('finds one that was terminated by nobody', () => {
    const life = { ...terminatedLease(), issues: [] };
    expect(verdictOn(traceOf([{ ...life, changes: [] }]))).toEqual([['P3', LEASE]]);
  });

  it('finds a workflow that failed', () => {
    const life = { ...expiredLease(), runs: [runOf({ status: 'FAILED', state: null })] };
    expect(verdictOn(traceOf([life]))).toEqual([['P3', LEASE]]);
  });

  it('finds an alert for each lease instead of one for their trouble', () => {
    const alerts = Array.from({ length: 9 }, (_, index) => ({ at: T0 + index, event: 'stuck', integration: 'aws' }));
    const lines = [...expiredLease().lines, lineOf('incident_opened', null)];
    const life = { ...heldUpUntil(40_000), lines };
    expect(verdictOn(traceOf([life], { alerts }))).toEqual([['P3', null]]);
    expect(verdictOn(traceOf([life], { alerts: alerts.slice(0, 2) }))).toEqual([]);
  });

  it('finds a lease that was stuck for long while nobody was told', () => {
    const life = heldUpUntil(97_000);
    const trace = traceOf([life], { healedAt: T0 + 90_000 });
    expect(verdictOn(trace)).toEqual([['P3', LEASE]]);
    expect(verdictOn({ ...trace, alerts: [{ at: T0 + 40_000, event: 'stuck', integration: 'aws' }] })).toEqual([]);
  });
});
