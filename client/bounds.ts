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
