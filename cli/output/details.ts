import { printable } from './printable';
import { createStyle } from './style';
import type { Style } from './style';
import type { Cell } from './table';
import { textWidth } from './text-width';

export interface DetailsOptions {
  readonly style?: Style;
}

/** One thing, each of its sides on a line of its own, with a line break at the end. Nothing is shortened. */
export function details(
  sides: readonly (readonly [label: string, value: Cell])[],
  { style = createStyle(false) }: DetailsOptions = {},
): string {
  const width = Math.max(...sides.map(([label]) => textWidth(printable(label))));
  return sides.map(([label, value]) => `${writeSide(printable(label), value, width, style)}\n`).join('');
}

function writeSide(label: string, value: Cell, width: number, style: Style): string {
  const { text, paint } = typeof value === 'string' ? { text: value, paint: (plain: string) => plain } : value;
  const shown = printable(text);
  if (shown === '') return style.bold(label);
  return `${style.bold(label)}${' '.repeat(width - textWidth(label) + 2)}${paint(shown)}`;
}
