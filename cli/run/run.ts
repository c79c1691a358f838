import { readVariable } from '../../config/environment';
import type { RunFlags } from '../commands/run';
import { explain } from '../exit';
import { readSeconds } from '../ttl';
import { warn, warned } from '../warn';
import { startChild } from './child';
import { requireProgram } from './find-program';
import { leave } from './leave';
import { catchSignals, exitCodeOf, untilInsisted } from './signals';
import type { Signals } from './signals';
import { openWitness } from './witness';

/** See `runCommand`. What it needs for leasing is loaded only when signals are heard. */
export async function run(argv: readonly string[], flags: RunFlags): Promise<number> {
  const stop = new AbortController();
  const signals = catchSignals(
    untilInsisted((name) => {
      stop.abort(new StoppedError(name));
    }),
  );
  const code = await supervise(argv, flags, signals, stop.signal).catch((error: unknown) => {
    if (stop.signal.reason instanceof StoppedError) return exitCodeOf(stop.signal.reason.by);
    const [its, sentence] = explain(error);
    warn(sentence);
    return its;
  });
  await warned();
  // A request that was given up may still be open: it does not keep us.
  return leave(code);
}

function tellOfRevoking(): void {
  warn('revoking what was leased; a second signal leaves it to its TTL.');
}

/** A signal came before the program was started. */
class StoppedError extends Error {
  override readonly name = 'StoppedError';

  constructor(readonly by: NodeJS.Signals) {
    super('A signal to end came before the program was started.');
  }
}

async function supervise(
  argv: readonly string[],
  flags: RunFlags,
  signals: Signals,
  stop: AbortSignal,
): Promise<number> {
  const killAfterMs = flags.killAfter === undefined ? undefined : 1_000 * readSeconds(flags.killAfter, '--kill-after');
  requireProgram(argv[0] ?? '', readVariable('PATH'));
  // It is ready by the time that something is leased.
  const witness = openWitness();
  const { connect } = await import('../access.js');
  const { openSupply } = await import('./supply.js');
  const leases = await untilAborted(connect(flags), stop);
  const supply = await openSupply(leases, flags, stop);
  try {
    stop.throwIfAborted();
    const child = startChild(argv, supply.environment, { witness, killAfterMs });
    signals.handTo((name) => {
      child.relay(name);
    });
    supply.attach(child);
    return await child.ended;
  } finally {
    // A signal that called off the start was the first already.
    if (!stop.aborted) signals.handTo(untilInsisted(tellOfRevoking, performance.now()));
    await supply.close();
  }
}

/** @throws what the signal was aborted with, without waiting for the rest. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
  });
  return Promise.race([work, aborted]).finally(() => {
    signal.removeEventListener('abort', stop);
  });
}
