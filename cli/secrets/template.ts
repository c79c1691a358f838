/** A text with places for secrets. */
export interface Template {
  readonly parts: readonly (string | Slot)[];
}

/** A place for a secret. */
export interface Slot {
  readonly name: string;
  /** Whether the value is written as a JSON string, quotes included. */
  readonly asJson: boolean;
  readonly position: Position;
}

/** Both counted from 1, columns in characters. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A template that cannot be understood. The message repeats nothing of it. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';

  constructor(
    readonly position: Position,
    message: string,
  ) {
    super(message);
  }
}

const OPENING = '{{';
const SLOT = /\s*(tojson\s+)?\.?([A-Za-z_][A-Za-z0-9_]*)\s*\}\}/y;
/** The only way to write two opening braces that are meant as such. */
const BRACES = /\s*"(\{\{|\}\})"\s*\}\}/y;

/**
 * Reads `{{ NAME }}`, `{{ .NAME }}`, `{{ tojson .NAME }}` and `{{ "{{" }}`. Closing braces alone are text.
 * @throws TemplateError of other opening braces.
 */
export function parseTemplate(source: string): Template {
  const parts: (string | Slot)[] = [];
  let position: Position = { line: 1, column: 1 };
  let at = 0;
  let seen = 0;
  for (;;) {
    const opening = source.indexOf(OPENING, at);
    if (opening < 0) break;
    parts.push(source.slice(at, opening));
    position = after(position, source.slice(seen, opening));
    seen = opening;
    const inside = opening + OPENING.length;
    const slot = matchAt(SLOT, source, inside);
    const braces = matchAt(BRACES, source, inside);
    const [, json, name] = slot ?? [];
    if (name !== undefined) parts.push({ name, asJson: json !== undefined, position });
    else if (braces?.[1] !== undefined) parts.push(braces[1]);
    else {
      throw new TemplateError(
        position,
        'these braces hold no name: write {{ NAME }}, {{ .NAME }} or {{ tojson .NAME }}, or {{ "{{" }} if you mean the braces.',
      );
    }
    at = inside + (slot ?? braces ?? [''])[0].length;
  }
  return { parts: [...parts, source.slice(at)].filter((part) => part !== '') };
}

export function slotsOf({ parts }: Template): readonly Slot[] {
  return parts.filter((part) => typeof part !== 'string');
}

/** The text with values in it, as they are: whatever stands in one is not looked at. */
export function fill({ parts }: Template, valueOf: (name: string) => string): string {
  const write = ({ name, asJson }: Slot): string => (asJson ? JSON.stringify(valueOf(name)) : valueOf(name));
  return parts.map((part) => (typeof part === 'string' ? part : write(part))).join('');
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Where one is after a text that began at a position. */
function after({ line, column }: Position, text: string): Position {
  const lines = text.split('\n');
  const last = Array.from(lines.at(-1) ?? '').length;
  return lines.length === 1 ? { line, column: column + last } : { line: line + lines.length - 1, column: last + 1 };
}
