import { changeOf, expiredLease, faultOf, issueOf, LEASE, runOf, T0, traceOf, verdictOn } from './traces';

const datadogDown = faultOf({ do: 'provider-down', integration: 'datadog', forMs: 60_000 }, 0, 60_000);
const workerKilled = faultOf({ do: 'kill', process: 'worker-1', downMs: 2_000 }, 25_000, 27_000);

/** Due at 31 s and removed at 48 s. */
const late = {
  ...expiredLease(),
  uses: [],
  runs: [runOf({ deprovisionScheduledAt: 31_050, endedAt: 48_200, closedAt: 48_300 })],
  deeds: [expiredLease().deeds[0]!, { ...expiredLease().deeds[1]!, at: T0 + 48_000 }],
  shown: [{ ...expiredLease().shown[0]!, to: 48_000 }],
};

const refused = issueOf(LEASE, {
  outcome: { is: 'refused', code: 'IssueTimeout', leaseId: null, undelivered: 'nothing started' },
});

describe('P6, bulkheads', () => {
  it('finds nothing in a lease that fared well while another provider was down', () => {
    expect(verdictOn(traceOf([expiredLease()], { faults: [datadogDown] }))).toEqual([]);
  });

  it('finds a removal that waited while nothing but another provider was down', () => {
    expect(verdictOn(traceOf([late], { faults: [datadogDown] }))).toEqual([['P6', LEASE]]);
  });

  it('says nothing where something else was wrong too, or nothing at all', () => {
    expect(verdictOn(traceOf([late], { faults: [datadogDown, workerKilled] }))).toEqual([]);
    expect(verdictOn(traceOf([late]))).toEqual([]);
  });

  it('finds an issue that was refused, or waited, while nothing but another provider was down', () => {
    const life = { ...expiredLease(), issues: [refused], uses: [] };
    expect(verdictOn(traceOf([life], { faults: [datadogDown] }))).toEqual([['P6', null]]);
    const awsDown = { ...datadogDown, fault: { ...datadogDown.fault, integration: 'aws' } as const };
    expect(verdictOn(traceOf([life], { faults: [awsDown] }))).toEqual([]);
    const slow = issueOf(LEASE, { ...refused, answeredAt: T0 + 17_000 });
    expect(verdictOn(traceOf([{ ...life, issues: [slow] }], { faults: [datadogDown] }))).toEqual([['P6', null]]);
  });

  it('says nothing of an issue whose lease somebody ended meanwhile', () => {
    const cut = issueOf(LEASE, {
      outcome: { is: 'refused', code: 'Unavailable', leaseId: LEASE, undelivered: 'ended' },
    });
    const life = { ...expiredLease(), issues: [cut], uses: [] };
    const verdict = (what: 'terminate' | 'extend', at: number): unknown => {
      const change = changeOf({ what, leaseIds: [LEASE], askedAt: at - T0, answeredAt: at - T0 });
      return verdictOn(traceOf([life], { faults: [datadogDown], changes: [change] }));
    };
    expect(verdict('terminate', cut.answeredAt)).not.toContainEqual(['P6', LEASE]);
    expect(verdict('extend', cut.answeredAt)).toContainEqual(['P6', LEASE]);
    expect(verdict('terminate', cut.answeredAt + 1)).toContainEqual(['P6', LEASE]);
  });
});
