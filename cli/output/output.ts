import { readVariable } from '../../config/environment';
import { createStyle, hasColour } from './style';
import type { Style } from './style';

/** A stream of this process, as far as its look goes: `process.stdout` or `process.stderr`. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** How to write for whoever reads a stream. */
export interface Output {
  readonly isTerminal: boolean;
  /** Whether what was written can be written over. */
  readonly canRedraw: boolean;
  /** Columns; undefined: no terminal, lines may be of any length. */
  readonly width: number | undefined;
  readonly style: Style;
}

export function isTerminal(stream: OutputStream): boolean {
  return stream.isTTY === true;
}

export function outputTo(stream: OutputStream): Output {
  const onTerminal = isTerminal(stream);
  const term = readVariable('TERM');
  const style = createStyle(
    hasColour({
      isTerminal: onTerminal,
      forceColor: readVariable('FORCE_COLOR'),
      noColor: readVariable('NO_COLOR'),
      term,
    }),
  );
  return {
    isTerminal: onTerminal,
    canRedraw: onTerminal && term !== 'dumb',
    width: onTerminal ? chooseWidth(readVariable('COLUMNS'), stream.columns) : undefined,
    style,
  };
}

const USUAL_WIDTH = 80;

/** COLUMNS if it is a number, else what the terminal says of itself, which may be nothing. */
function chooseWidth(written: string | undefined, told: number | undefined): number {
  const asked = /^[1-9][0-9]{0,4}$/.test(written ?? '') ? Number(written) : undefined;
  return asked ?? (told === undefined || told < 1 ? USUAL_WIDTH : told);
}
