import { check } from '../../chaos/check';
import { markdownTable, textTable } from '../../chaos/table';
import { expiredLease, faultOf, issueOf, LEASE, OTHER, revokedLease, terminatedLease, traceOf } from './traces';

const refused = issueOf(LEASE, {
  outcome: { is: 'refused', code: 'IssueTimeout', leaseId: null, undelivered: null },
});
const kill = faultOf({ do: 'kill', process: 'worker-1', downMs: 1_000 }, 55_000, 56_000);
const trace = traceOf(
  [expiredLease(), revokedLease(OTHER), terminatedLease('c'.repeat(24)), { ...expiredLease('d'.repeat(24)), uses: [] }],
  { faults: [kill, { ...kill, hit: false }] },
);
const withRefusal = { ...trace, issues: [...trace.issues, refused] };

const rowOf = (text: string, what: string): string | undefined =>
  text
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line.startsWith(`${what}  `))
    ?.slice(what.length)
    .trim();

describe('the table of a run', () => {
  it('tells how much happened, and how long what took', () => {
    const text = textTable(withRefusal, check(withRefusal));
    expect(rowOf(text, 'issues asked for')).toBe('5');
    expect(rowOf(text, 'leases delivered')).toBe('4');
    expect(rowOf(text, 'issues refused')).toBe('1: IssueTimeout 1');
    expect(rowOf(text, 'ends')).toBe('4: expired 2, revoked 1, terminated 1');
    expect(rowOf(text, 'kill')).toBe('2, 1 met');
    expect(rowOf(text, 'from expiry until gone at the provider')).toBe('0.5 s / 0.5 s / 0.5 s (of 2)');
    expect(rowOf(text, 'from a revoke until gone')).toBe('0.5 s / 0.5 s / 0.5 s (of 1)');
    expect(rowOf(text, 'from a termination until swept')).toBe('8.0 s / 8.0 s / 8.0 s (of 1)');
    expect(rowOf(text, 'from the end of all faults until nothing was left')).toBe('59.0 s');
    expect(rowOf(text, 'P1')).toMatch(/^0 \(\d+ times judged\)$/);
    expect(rowOf(text, 'entities left at the end')).toBe('0');
    expect(rowOf(text, 'leases whose entity the sweep removed')).toBe('1');
    expect(text).not.toContain('violated');
  });

  it('tells what was violated, ten times at most', () => {
    const leaks = Array.from({ length: 12 }, (_, index) => `value ${index} stands in a file`);
    const bad = { ...trace, leaks };
    const text = textTable(bad, check(bad));
    expect(text).toContain('P4 is violated 12 times:\n  value 0 stands in a file\n');
    expect(text).toContain('  and 2 more.');
    expect(text).not.toContain('value 10');
  });

  it('is a table in Markdown too', () => {
    const text = markdownTable(trace, check(trace));
    expect(text.split('\n').slice(0, 4)).toEqual([
      '| what | how much |',
      '| --- | --- |',
      '| **Run** | |',
      '| seed | 1 |',
    ]);
    expect(text).toContain('| ends | 4: expired 2, revoked 1, terminated 1 |');
  });
});
