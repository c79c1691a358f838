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

/** Waits for something, but not beyond the bounds. @throws Interrupted at the deadline or on abort. */
export async function waitWithin<T>({ deadline, signal }: Bounds, start: () => Promise<T>): Promise<T> {
  if (signal?.aborted === true) throw new Interrupted('aborted');
  const request = start();
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

/** Waits so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits so many milliseconds, however many, but not beyond an abort. */
export async function doze(ms: number, signal?: AbortSignal): Promise<void> {
  const end = performance.now() + ms;
  for (let left = ms; left > 0 && signal?.aborted !== true; left = end - performance.now()) {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      // A timer of more than 2^31 ms would go off at once.
      const timer = setTimeout(wake, Math.min(left, LONGEST_TIMER_MS));
      signal?.addEventListener('abort', wake, { once: true });
    });
  }
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;
