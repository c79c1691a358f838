import {
  changeOf,
  expiredLease,
  faultOf,
  LEASE,
  lineOf,
  revokedLease,
  runOf,
  T0,
  terminatedLease,
  traceOf,
  verdictOn,
} from './traces';
import type { AuditLine } from '../../../audit/line';
import type { Trace } from '../../chaos/trace';
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
    const another = faultOf({ do: 'kill', process: 'worker-1', downMs: 10_000 }, 50_000, 60_000);
    expect(verdictOn(traceOf([heldUpUntil(75_000)], { faults: [...faults, another] }))).toEqual([]);
  });

  it('finds one that takes long though no fault is felt, and one that workers hold up whatever befalls them', () => {
    expect(verdictOn(traceOf([heldUpUntil(48_000)]))).toEqual([]);
    expect(verdictOn(traceOf([heldUpUntil(55_000)]))).toEqual([['P3', LEASE]]);
    const killed = faultOf({ do: 'kill', process: 'worker-1', downMs: 60_000 }, 30_000, 90_000);
    expect(verdictOn(traceOf([heldUpUntil(65_000)], { faults: [killed] }))).toEqual([]);
    expect(verdictOn(traceOf([heldUpUntil(75_000)], { faults: [killed] }))).toEqual([['P3', LEASE]]);
  });

  it('feels nothing of an API in what a worker does by itself', () => {
    const killed = faultOf({ do: 'kill', process: 'api-1', downMs: 60_000 }, 30_000, 90_000);
    expect(verdictOn(traceOf([heldUpUntil(55_000)], { faults: [killed] }))).toEqual([['P3', LEASE]]);
  });

  it('finds a workflow that goes on for long after its removal is done', () => {
    const life = expiredLease();
    const runs = [runOf({ endedAt: 54_900, closedAt: 55_000 })];
    expect(verdictOn(traceOf([{ ...life, runs }]))).toEqual([['P3', LEASE]]);
  });

  it('finds a revoke that was accepted and did nothing until the expiry', () => {
    const changes = [changeOf({ what: 'revoke', askedAt: 5_000, answeredAt: 5_100, state: 'accepted' })];
    expect(verdictOn(traceOf([{ ...expiredLease(), changes }]))).toEqual([['P3', LEASE]]);
    const late = [{ ...changes[0]!, askedAt: T0 + 30_000 }];
    expect(verdictOn(traceOf([{ ...expiredLease(), changes: late }]))).toEqual([]);
  });

  it('says nothing of a bulk revoke that was over before the lease began, whatever ended it later', () => {
    const life = revokedLease();
    const runs = [
      { ...life.runs[0]!, deprovisionScheduledAt: T0 + 28_100, endedAt: T0 + 28_900, closedAt: T0 + 28_950 },
    ];
    const bulk = (askedAt: number): ReturnType<typeof changeOf> =>
      changeOf({ what: 'bulk-revoke', askedAt, answeredAt: askedAt + 50, state: 'accepted' });
    const later = {
      ...life,
      runs,
      deeds: [life.deeds[0]!, { ...life.deeds[1]!, at: T0 + 28_500 }],
      shown: [{ ...life.shown[0]!, to: 28_600 }],
      uses: [],
    };
    expect(verdictOn(traceOf([{ ...later, changes: [bulk(-20_000), bulk(28_000)] }]))).toEqual([]);
    expect(verdictOn(traceOf([{ ...later, changes: [bulk(1_000), bulk(28_000)] }]))).toEqual([['P3', LEASE]]);
  });

  it('finds a sweep that takes long', () => {
    const life = terminatedLease();
    const swept = (at: number): Life => ({
      ...life,
      deeds: [life.deeds[0]!, { ...life.deeds[1]!, at: T0 + at }],
      shown: [{ ...life.shown[0]!, to: at }],
    });
    expect(verdictOn(traceOf([swept(45_000)]))).toEqual([]);
    expect(verdictOn(traceOf([swept(55_000)]))).toEqual([['P3', LEASE]]);
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

  const opened = (at: number): AuditLine =>
    lineOf('incident_opened', null, { id: `trouble-${at}`, details: { openedAt: new Date(T0 + at).toISOString() } });
  const closed = (at: number, alerts: number): AuditLine => ({
    ...opened(at),
    id: `trouble-${at}-over`,
    event: 'incident_closed',
    details: { ...opened(at).details, alerts },
  });
  const alert = (at: number, event = 'stuck'): Trace['alerts'][number] => ({ at: T0 + at, event, integration: 'aws' });

  it('finds an alert for each lease instead of one for their trouble', () => {
    const life = { ...heldUpUntil(40_000), lines: [...expiredLease().lines, opened(36_000), closed(36_000, 1)] };
    const alerts = [alert(37_000), alert(41_000, 'recovered')];
    expect(verdictOn(traceOf([life], { alerts }))).toEqual([]);
    const repeated = [...alerts, alert(38_000)];
    expect(verdictOn(traceOf([life], { alerts: repeated }))).toEqual([['P3', null]]);
    const killed = faultOf({ do: 'kill', process: 'worker-1', downMs: 500 }, 37_100, 37_600);
    expect(verdictOn(traceOf([life], { alerts: repeated, faults: [killed] }))).toEqual([]);
    expect(verdictOn(traceOf([life], { alerts: [...repeated, alert(38_500)], faults: [killed] }))).toEqual([
      ['P3', null],
    ]);
  });

  it('finds a trouble, or the end of one, of which nobody was told', () => {
    const life = { ...heldUpUntil(40_000), lines: [...expiredLease().lines, opened(36_000), closed(36_000, 1)] };
    expect(verdictOn(traceOf([life], { alerts: [alert(37_000)] }))).toEqual([['P3', null]]);
    expect(verdictOn(traceOf([life], { alerts: [alert(41_000, 'recovered')] }))).toEqual([['P3', null]]);
  });

  it('finds a lease that was stuck for long while nobody was told', () => {
    const life = heldUpUntil(97_000);
    const faults = [faultOf(down, 20_000, 95_000)];
    expect(verdictOn(traceOf([life], { faults }))).toEqual([['P3', LEASE]]);
    const told = { ...life, lines: [...life.lines, opened(36_000)] };
    expect(verdictOn(traceOf([told], { faults, alerts: [alert(40_000)] }))).toEqual([]);
  });
});
