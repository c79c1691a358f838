import { changeOf, expiredLease, LEASE, lineOf, runOf, T0, terminatedLease, traceOf, verdictOn } from './traces';

const life = expiredLease();
const without = (event: string): ReturnType<typeof lineOf>[] => life.lines.filter((line) => line.event !== event);

describe('the audit log', () => {
  it.each(['issued', 'delivered', 'expired'])('is to tell that a lease was %s', (event) => {
    expect(verdictOn(traceOf([{ ...life, lines: without(event) }]))).toEqual([['audit', LEASE]]);
  });

  it('may tell the same twice, and nothing else under the same id', () => {
    const again = { ...life.lines[2]!, time: new Date(T0 + 5_000).toISOString() };
    expect(verdictOn(traceOf([{ ...life, lines: [...life.lines, again] }]))).toEqual([]);
    const other = { ...again, reason: 'something else' };
    expect(verdictOn(traceOf([{ ...life, lines: [...life.lines, other] }]))).toEqual([['audit', LEASE]]);
  });

  it('may tell of more than one expiry where a workflow task was lost, one of them what was handed over', () => {
    const first = lineOf('issued', LEASE, { details: { expiresAt: new Date(T0 + 28_000).toISOString() } });
    expect(verdictOn(traceOf([{ ...life, lines: [first, ...life.lines] }]))).toEqual([]);
    expect(verdictOn(traceOf([{ ...life, lines: [first, ...without('issued')] }]))).toEqual([['audit', LEASE]]);
  });

  it('is not to tell two ends of one run', () => {
    expect(verdictOn(traceOf([{ ...life, lines: [...life.lines, lineOf('revoked')] }]))).toEqual([['audit', LEASE]]);
    // Decided and told in one task, which was lost; the next one decided otherwise.
    expect(verdictOn(traceOf([{ ...life, lines: [...life.lines, lineOf('denied')] }]))).toEqual([]);
  });

  it('is to tell of a lease that was refused', () => {
    const run = runOf({
      state: 'failed',
      plannedAt: null,
      provisionedAt: null,
      deprovisionScheduledAt: null,
      removals: 0,
    });
    const denied = { ...life, issues: [], uses: [], deeds: [], shown: [], runs: [run] };
    expect(verdictOn(traceOf([{ ...denied, lines: [lineOf('denied')] }]))).toEqual([]);
    expect(verdictOn(traceOf([{ ...denied, lines: [lineOf('failed')] }]))).toEqual([['audit', LEASE]]);
  });

  it('is to tell of what the sweep removes', () => {
    const swept = terminatedLease();
    const lines = swept.lines.filter(({ event }) => event !== 'swept');
    expect(verdictOn(traceOf([{ ...swept, lines }]))).toEqual([['audit', LEASE]]);
  });

  it('is to tell of one end and one issue of each run, of each move of its expiry, and of the right holder', () => {
    for (const event of ['issued', 'expired'] as const) {
      const twice = [...life.lines, { ...lineOf(event), id: `${LEASE}/another/${event}` }];
      expect(verdictOn(traceOf([{ ...life, lines: twice }]))).toEqual([['audit', LEASE]]);
    }
    const changes = [changeOf({ what: 'extend', ttlMs: 21_000, expiresAt: 31_000 })];
    expect(verdictOn(traceOf([{ ...life, changes }]))).toEqual([['audit', LEASE]]);
    const lines = [...without('delivered'), lineOf('delivered', LEASE, { holder: 'token:eve' })];
    expect(verdictOn(traceOf([{ ...life, lines }]))).toEqual([['audit', LEASE]]);
  });

  it('is to consist of whole lines', () => {
    expect(verdictOn(traceOf([life], { cutLines: ['line 7 of worker-1.audit is cut off'] }))).toEqual([
      ['audit', null],
    ]);
  });
});
