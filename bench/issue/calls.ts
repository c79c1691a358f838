/** Numbers of calls by their names. */
export type Calls = ReadonlyMap<string, number>;

/** The calls to Temporal that a worker's metrics tell of. */
export function parseCalls(metrics: string): Calls {
  const calls = new Map<string, number>();
  for (const [, labels = '', count = ''] of metrics.matchAll(COUNT)) {
    const name = /operation="([^"]*)"/.exec(labels)?.[1] ?? '';
    calls.set(name, (calls.get(name) ?? 0) + Number(count));
  }
  return calls;
}

const COUNT = /^temporal_request_latency_seconds_count\{([^}]*)\} (\S+)$/gm;

/** The second of two readings with nothing between, and what it added: to read the metrics the worker itself asks Temporal. */
export function withReading(first: Calls, second: Calls): Calls {
  return new Map([...second].map(([name, count]) => [name, 2 * count - (first.get(name) ?? 0)]));
}

/** What was added, for each of so many turns. What nothing was added to is left out. */
export function perTurn(before: Calls, after: Calls, turns: number): Calls {
  return new Map(
    [...after]
      .map(([name, count]) => [name, (count - (before.get(name) ?? 0)) / turns] as const)
      .filter(([, count]) => count > 0)
      .sort(([, one], [, other]) => other - one),
  );
}
