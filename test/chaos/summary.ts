import { countBy } from './counts';
import { seconds } from './instants';
import { PROMISES } from './report';
import type { Lag, Report } from './report';
import type { Trace } from './trace';

export type Row = readonly [what: string, value: string];

/** The rows that tell of a run, in groups by their headings. */
export interface Group {
  readonly heading: string;
  readonly rows: readonly Row[];
}

export function summarise(trace: Trace, report: Report): readonly Group[] {
  return [
    { heading: 'Run', rows: runRows(trace) },
    { heading: 'Leases', rows: leaseRows(trace) },
    { heading: 'Operations', rows: operationRows(trace) },
    { heading: 'Faults', rows: faultRows(trace) },
    { heading: 'Violations', rows: violationRows(report) },
    { heading: 'Lags (p50 / p99 / longest)', rows: lagRows(trace, report) },
    { heading: 'Seen', rows: seenRows(trace) },
  ];
}

function runRows({ size, startedAt, healedAt, settledAt }: Trace): Row[] {
  return [
    ['seed', String(size.seed)],
    ['under operations and faults', seconds(healedAt - startedAt)],
    ['from the end of all faults until the last lease had ended and nothing was left', seconds(settledAt - healedAt)],
  ];
}

function leaseRows({ issues, runs, snapshots }: Trace): Row[] {
  const refusals = issues.flatMap(({ outcome }) => (outcome.is === 'refused' ? [outcome.code] : []));
  const ids = new Set(issues.flatMap(({ outcome }) => (outcome.is === 'delivered' ? [outcome.leaseId] : [])));
  const last = snapshots.at(-1);
  return [
    ['issues asked for', count(issues.length)],
    ['leases begun', count(new Set(runs.map(({ leaseId }) => leaseId)).size)],
    ['leases delivered', count(ids.size)],
    [
      'issues refused',
      list(
        refusals.length,
        countBy(refusals, (code) => code),
      ),
    ],
    [
      'ends',
      list(
        runs.length,
        countBy(runs, ({ state, status }) => state ?? status.toLowerCase()),
      ),
    ],
    ['leases that were stuck', count(runs.filter(({ stuckAt }) => stuckAt !== null).length)],
    ['entities left at the end', last === undefined ? 'not known' : count(last.entities.length)],
  ];
}

function operationRows({ operations, changes }: Trace): Row[] {
  return [
    ...countBy(operations, ({ operation }) => operation.do).map(([name, times]): Row => [name, count(times)]),
    [
      'answers to changes',
      list(
        changes.length,
        countBy(changes, ({ answer }) => answer),
      ),
    ],
  ];
}

function faultRows({ faults }: Trace): Row[] {
  const kinds = countBy(faults, ({ fault }) => (fault.do === 'call' ? `call: ${fault.kind}` : fault.do));
  const hits = new Map(
    countBy(
      faults.filter(({ hit }) => hit),
      ({ fault }) => (fault.do === 'call' ? `call: ${fault.kind}` : fault.do),
    ),
  );
  const hit = faults.filter((fault) => fault.hit).length;
  return [
    ['all', `${count(faults.length)}, of which ${count(hit)} met something`],
    ...kinds.map(([name, times]): Row => [name, `${count(times)}, ${count(hits.get(name) ?? 0)} met`]),
  ];
}

function violationRows({ violations, judged }: Report): Row[] {
  return PROMISES.map((promise) => [
    promise,
    `${count(violations.filter((violation) => violation.promise === promise).length)} (${count(judged[promise])} times judged)`,
  ]);
}

function lagRows({ healedAt, settledAt }: Trace, { lags }: Report): Row[] {
  return [
    ['from expiry until gone at the provider', lag(lags.pastExpiry)],
    ['the same, where no fault was felt', lag(lags.pastExpiryUndisturbed)],
    ['from a revoke until gone', lag(lags.afterRevoke)],
    ['from the end of a provider’s outage until what was due was gone', lag(lags.afterOutage)],
    ['of that, while no other fault was felt', lag(lags.afterOutageAlone)],
    ['from the end of an outage of Temporal until what was due was gone', lag(lags.afterTemporal)],
    ['from the return of a worker until what was due was gone', lag(lags.afterWorker)],
    ['from the end of all faults until what was due before was gone', lag(lags.afterHealing)],
    ['from a termination until swept', lag(lags.afterTermination)],
    ['from the end of all faults until nothing was left', seconds(settledAt - healedAt)],
  ];
}

function seenRows({ snapshots, uses, deeds, searched, runs, audit, alerts }: Trace): Row[] {
  const sweeps = new Set(
    audit.filter(({ line }) => ['swept', 'late'].includes(line.event)).map(({ line }) => line.leaseId),
  );
  return [
    ['looks at everything that the providers hold', count(snapshots.length)],
    [
      'delivered credentials tried',
      list(
        uses.length,
        countBy(uses, ({ answer }) => answer),
      ),
    ],
    ['changes that providers made', count(deeds.filter(({ done }) => done).length)],
    ['leases whose entity the sweep removed', count(sweeps.size)],
    [
      'alerts',
      list(
        alerts.length,
        countBy(alerts, ({ event, integration }) => `${event} ${integration ?? ''}`.trim()),
      ),
    ],
    ['audit lines', count(audit.length)],
    [
      'searched for leaks',
      `${(searched.bytes / 1e6).toFixed(0)} MB in ${count(searched.files)} files and ${count(searched.histories)} histories, for ${count(searched.values)} values`,
    ],
    ['histories replayed', count(runs.filter(({ replay }) => replay !== 'not tried').length)],
  ];
}

function lag({ count: among, p50, p99, max }: Lag): string {
  if (p50 === null || p99 === null || max === null) return 'none';
  return `${seconds(p50)} / ${seconds(p99)} / ${seconds(max)} (of ${count(among)})`;
}

function list(total: number, counts: readonly (readonly [string, number])[]): string {
  const each = counts.map(([name, times]) => `${name} ${count(times)}`).join(', ');
  return each === '' ? count(total) : `${count(total)}: ${each}`;
}

function count(number: number): string {
  return number.toLocaleString('en-GB');
}
