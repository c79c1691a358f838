import { printable } from './printable';
import { createStyle } from './style';
import type { Paint, Style } from './style';
import { shorten, textWidth } from './text-width';

export interface Column {
  readonly title: string;
  /** Shortened only when nothing else can be: an id of which a part is missing is of no use. */
  readonly whole?: boolean;
  /** For numbers. */
  readonly right?: boolean;
}

/** A text, or one that is painted. Never more than one line, and without anything of a terminal's language. */
export type Cell = string | { readonly text: string; readonly paint: Paint };

export interface TableOptions {
  /** Columns of the terminal; undefined: any. */
  readonly width: number | undefined;
  readonly style?: Style;
}

const GAP = 2;
/** So much of a column is always left, as long as others can be shortened. */
const LEAST = 8;

/**
 * Rows under titles, one line each, with a line break at the end. What does not fit in the width is shortened, the longest column
 * first; where that does not help, the last columns are left out.
 */
export function table(
  columns: readonly (string | Column)[],
  rows: readonly (readonly Cell[])[],
  { width, style = createStyle(false) }: TableOptions,
): string {
  const heads = columns.map((column) => (typeof column === 'string' ? { title: column } : column));
  const lines = [heads.map(({ title }) => ({ text: title, paint: style.bold })), ...rows.map((row) => row.map(toCell))];
  const widths = fit(
    heads,
    heads.map((_, index) => Math.max(...lines.map((line) => textWidth(line[index]?.text ?? '')))),
    width,
  );
  return lines.map((line) => `${writeLine(heads, line, widths)}\n`).join('');
}

type Painted = Exclude<Cell, string>;

function toCell(cell: Cell): Painted {
  return typeof cell === 'string'
    ? { text: printable(cell), paint: (text) => text }
    : { ...cell, text: printable(cell.text) };
}

/** How wide each column may be; the missing ones are left out. */
function fit(heads: readonly Column[], needed: readonly number[], width: number | undefined): readonly number[] {
  if (width === undefined) return needed;
  for (let count = needed.length; ; count -= 1) {
    const widths = needed.slice(0, count);
    const over = (): number => widths.reduce((sum, each) => sum + each, (count - 1) * GAP) - width;
    shrink(widths, over, (index) => heads[index]?.whole !== true, LEAST);
    // Two columns are better than one that is whole: a name without its value says nothing.
    if (count <= 2) shrink(widths, over, () => true, 1);
    if (over() <= 0) return widths;
    if (count <= 1) return [width];
  }
}

/** Takes from the widest column, as long as there is too much. */
function shrink(widths: number[], over: () => number, may: (index: number) => boolean, least: number): void {
  for (let much = over(); much > 0; much = over()) {
    const widest = widths.reduce((best, each, index) => (may(index) && each > (widths[best] ?? 0) ? index : best), -1);
    if (widest < 0 || (widths[widest] ?? 0) <= least) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

function writeLine(heads: readonly Column[], line: readonly Painted[], widths: readonly number[]): string {
  let text = '';
  let owed = 0;
  widths.forEach((width, index) => {
    const cell = line[index] ?? toCell('');
    const shown = shorten(cell.text, width);
    const space = width - textWidth(shown);
    const isRight = heads[index]?.right === true;
    // Spaces are written before what follows them: none stand at the end of a line.
    const before = owed + (isRight ? space : 0);
    if (shown !== '') text += ' '.repeat(before) + cell.paint(shown);
    owed = (shown === '' ? before : 0) + (isRight ? 0 : space) + GAP;
  });
  return text;
}
