import { once } from 'node:events';
import { constants } from 'node:os';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Answers once this process is asked to end, and by which signal: until then such a signal does nothing else. From then on the next
 * one, of either kind, ends the process at once.
 */
export async function askedToStop(): Promise<(typeof SIGNALS)[number]> {
  const first = new AbortController();
  const signals = SIGNALS.map(async (name) => {
    await once(process, name, { signal: first.signal });
    return name;
  });
  try {
    return await Promise.race(signals);
  } finally {
    first.abort();
    await Promise.allSettled(signals);
    // Not left to the system, which spares the first process of a container.
    for (const name of SIGNALS) process.once(name, () => process.exit(128 + constants.signals[name]));
  }
}
