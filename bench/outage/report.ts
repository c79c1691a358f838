import { distributionOf, formatMs } from '../statistics';
import type { Plot } from '../plot';
import type { Table } from '../table';
import type { Look } from '../expire/watch';

/** What was seen of one party. All instants in milliseconds of the epoch. */
export interface Outcome {
  readonly party: string;
  readonly total: number;
  readonly firstExpiry: number;
  /** In the order of time, from before the outage to the end. */
  readonly looks: readonly Look[];
  /** When each role was seen to be gone that is. */
  readonly gone: readonly number[];
  /** When a session that a holder had opened was seen to have ended, or to answer no more; null: it answered to the last. */
  readonly sessionEndedAt: number | null;
}

export interface Outage {
  readonly cutAt: number;
  /** When the provider was back. */
  readonly returnedAt: number;
  readonly endedAt: number;
  readonly outcomes: readonly Outcome[];
}

/** How long before the return the figures begin. */
export const BEFORE_MS = 30_000;
const TOLD_AT_SECONDS = [-30, 0, 1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 300, 480, 600];

/** Live credentials over time, a row for each moment that was reached. */
export function liveTable({ returnedAt, endedAt, outcomes }: Outage): Table {
  const reached = TOLD_AT_SECONDS.filter((seconds) => returnedAt + seconds * 1_000 <= endedAt);
  return {
    title: 'Roles left, of which PostgreSQL lets log in',
    head: ['seconds since the return', ...outcomes.flatMap(({ party }) => [party, 'may log in'])],
    rows: reached.map((seconds) => [
      String(seconds),
      ...outcomes.flatMap(({ looks }) => {
        const { left, usable } = lookAt(looks, returnedAt + seconds * 1_000);
        return [String(left), String(usable)];
      }),
    ]),
  };
}

/** What is known of that moment: the last look before it. */
export function lookAt(looks: readonly Look[], instant: number): Look {
  const found = looks.findLast(({ at }) => at <= instant) ?? looks[0];
  if (found === undefined) throw new Error('Nobody has looked.');
  return found;
}

/** When the removals came, and what was left. */
export function removalTable({ returnedAt, endedAt, outcomes }: Outage): Table {
  return {
    title: 'Removals after the return of PostgreSQL',
    head: [
      '',
      'credentials',
      'gone by the end',
      'p50 after the return',
      'p95',
      'last one gone',
      'new logins refused, after expiry',
      'session of a holder',
    ],
    rows: outcomes.map((outcome) => {
      const { party, total, gone, sessionEndedAt } = outcome;
      const after = gone.map((instant) => instant - returnedAt);
      const { p50, p95, max } = after.length === 0 ? { p50: null, p95: null, max: null } : distributionOf(after);
      return [
        party,
        String(total),
        String(gone.length),
        ...[p50, p95].map((value) => (value === null ? 'none gone' : formatMs(value))),
        gone.length === total && max !== null
          ? formatMs(max)
          : `${total - gone.length} left after ${seconds(endedAt - returnedAt)}`,
        refusedAfter(outcome),
        sessionEndedAt === null ? 'open to the end' : `ended ${seconds(sessionEndedAt - returnedAt)} after the return`,
      ];
    }),
  };
}

/** From when on PostgreSQL refuses new logins for all of them, by itself or because they were removed. */
function refusedAfter({ looks, firstExpiry }: Outcome): string {
  const shut = looks.find(({ usable }) => usable === 0);
  return shut === undefined ? 'never' : `at most ${seconds(shut.at - firstExpiry)}`;
}

/** How long after the return the party's last one was gone; null: not all are. */
export function lastGoneMs({ returnedAt }: Pick<Outage, 'returnedAt'>, { total, gone }: Outcome): number | null {
  return gone.length < total ? null : Math.max(...gone) - returnedAt;
}

/** Roles over time since the return, a line for each party. */
export function outagePlot({ returnedAt, endedAt, outcomes }: Outage): Plot {
  const begin = returnedAt - BEFORE_MS;
  return {
    name: 'outage',
    title: 'Credentials past their expiry, from the return of PostgreSQL on',
    x: { label: 'seconds since the return' },
    y: { label: 'roles at PostgreSQL' },
    series: outcomes.map(({ party, looks }) => ({
      name: party,
      points: [
        { at: begin, left: lookAt(looks, begin).left },
        ...looks.filter(({ at }) => at > begin),
        // Once all are gone nobody looks any more.
        { at: endedAt, left: lookAt(looks, endedAt).left },
      ].map(({ at, left }) => [(at - returnedAt) / 1_000, left] as const),
    })),
  };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
