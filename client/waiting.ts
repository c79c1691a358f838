import { grpcStatusOf } from '../temporal/service';
import type { Session } from './session';

/** Why a call is not waited for any longer. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor(readonly why: 'aborted' | 'timeout') {
    super(why);
  }
}

/** What a call may take at most, and what ends it before. */
export interface Bounds {
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

/** Bounds of so many milliseconds from now. */
export function boundsOf(timeoutMs: number, signal?: AbortSignal): Bounds {
  return { deadline: Date.now() + timeoutMs, signal };
}

/**
 * Runs requests to the server so that none is waited for beyond the bounds.
 * @throws Interrupted at the deadline or on abort; the request itself may still be under way then, at most to the deadline.
 */
export async function within<T>(session: Pick<Session, 'client'>, bounds: Bounds, call: () => Promise<T>): Promise<T> {
  const { deadline, signal } = bounds;
  if (signal?.aborted === true) throw new Interrupted('aborted');
  const request = session.client.withDeadline(deadline, call);
  // Whoever loses the race must not count as unhandled.
  request.catch(() => undefined);
  let stop = (): void => undefined;
  const interrupted = new Promise<never>((_, reject) => {
    const abort = (): void => {
      reject(new Interrupted('aborted'));
    };
    const timer = setTimeout(
      () => {
        reject(new Interrupted('timeout'));
      },
      Math.max(0, deadline - Date.now()),
    );
    signal?.addEventListener('abort', abort, { once: true });
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  });
  try {
    return await Promise.race([request, interrupted]);
  } finally {
    stop();
  }
}

/**
 * Whether a call was given up because its time was over. The server calls it cancelled where its own clock was quicker than ours;
 * a caller's abort is told apart before it gets here.
 */
export function isTooLate(error: unknown): boolean {
  if (error instanceof Interrupted) return error.why === 'timeout';
  const status = grpcStatusOf(error);
  return status === 'deadlineExceeded' || status === 'cancelled';
}

/** Waits so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
