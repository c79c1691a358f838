import type { Say } from '../dev/story';

const TOLD_EVERY_MS = 10_000;

/** Tells now and then how far something has got that takes long. */
export interface Progress {
  /** One more is done. */
  step(): void;
  /** To be called when it has ended, however it did. */
  end(): void;
}

export interface ProgressOptions {
  /** In the plural: `leases sleep`. */
  readonly what: string;
  readonly from: number;
  readonly to: number;
  readonly say: Say;
}

export function tellProgress({ what, from, to, say }: ProgressOptions): Progress {
  const began = performance.now();
  let done = 0;
  const timer = setInterval(() => {
    say(progressLine({ what, from, to, done, elapsedMs: performance.now() - began }));
  }, TOLD_EVERY_MS);
  timer.unref();
  return {
    step: () => {
      done += 1;
    },
    end: () => {
      clearInterval(timer);
    },
  };
}

export interface Done extends Pick<ProgressOptions, 'what' | 'from' | 'to'> {
  /** Of those between `from` and `to`. */
  readonly done: number;
  readonly elapsedMs: number;
}

/** How many there are, at what rate, and when the rest will be there at that rate. */
export function progressLine({ what, from, to, done, elapsedMs }: Done): string {
  const rate = (done / elapsedMs) * 1_000;
  const left = to - from - done;
  const until = done === 0 ? '' : `, ${rate.toFixed(0)} a second, ${formatSpan((left / rate) * 1_000)} to go`;
  return `${formatCount(from + done)} of ${formatCount(to)} ${what}${until}`;
}

/** `45 s`, `17 min`: as exact as one wants to know it beforehand. */
export function formatSpan(ms: number): string {
  return ms < 90_000 ? `${Math.ceil(ms / 1_000)} s` : `${Math.ceil(ms / 60_000)} min`;
}

/** With a comma between thousands. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
