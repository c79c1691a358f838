const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

export type Paint = (text: string) => string;

/** How text is set apart from other text. */
export type Style = Readonly<Record<keyof typeof CODES, Paint>>;

/** Paints, or leaves each text as it is. */
export function createStyle(isColourful: boolean): Style {
  const paints = Object.entries(CODES).map(([name, [open, close]]): [string, Paint] => [
    name,
    (text) => (isColourful && text !== '' ? `\u001b[${open}m${text}\u001b[${close}m` : text),
  ]);
  return Object.fromEntries(paints) as Style;
}

/** What decides whether there is colour. */
export interface ColourFacts {
  readonly isTerminal: boolean;
  /** Of the variables of these names; undefined: not set. */
  readonly forceColor: string | undefined;
  readonly noColor: string | undefined;
  readonly term: string | undefined;
}

/** Colour on a terminal that can show it, unless NO_COLOR; FORCE_COLOR has the last word, as in Node's own programs. */
export function hasColour({ isTerminal, forceColor, noColor, term }: ColourFacts): boolean {
  if (forceColor !== undefined) return forceColor !== '0' && forceColor !== 'false';
  if (noColor !== undefined && noColor !== '') return false;
  return isTerminal && term !== 'dumb';
}
