import { outputTo } from './output';
import type { Output, OutputStream } from './output';
import { shorten } from './text-width';

/** Long work that is watched. */
export interface Progress {
  /** @param remark what else there is to say: `3 stuck`. */
  update(done: number, total: number, remark?: string): void;
  /** Nothing of it stays on a terminal. */
  close(): void;
}

export interface ProgressOptions {
  readonly stream?: OutputStream & { write(text: string): unknown };
  /** How to write to it. Default: as it is. */
  readonly output?: Output;
  /** Milliseconds. */
  readonly clock?: () => number;
}

const REDRAW_MS = 100;
/** Where nothing can be written over, lines are kept few. */
const LINE_MS = 10_000;
const BAR = 24;

/** A bar on standard error that is written over; where that is no terminal, a line now and then. */
export function openProgress(label: string, options: ProgressOptions = {}): Progress {
  const { stream = process.stderr, clock = () => performance.now() } = options;
  const output = options.output ?? outputTo(stream);
  const pause = output.canRedraw ? REDRAW_MS : LINE_MS;
  let drawnAt = output.canRedraw ? -Infinity : clock();
  let drawn = '';
  return {
    update: (done, total, remark = '') => {
      const counted = `${label} ${done}/${total}${remark === '' ? '' : `, ${remark}`}`;
      const isLast = total > 0 && done >= total;
      if (counted === drawn || (!isLast && clock() - drawnAt < pause)) return;
      drawn = counted;
      drawnAt = clock();
      if (!output.canRedraw) {
        stream.write(`${counted}\n`);
        return;
      }
      const line = shorten(`${bar(done, total)} ${counted}`, (output.width ?? 80) - 1);
      stream.write(`\r${line}\u001b[K`);
    },
    close: () => {
      if (output.canRedraw && drawn !== '') stream.write('\r\u001b[K');
      drawn = '';
    },
  };
}

function bar(done: number, total: number): string {
  const full = total <= 0 ? BAR : Math.min(BAR, Math.floor((done / total) * BAR));
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}]`;
}
