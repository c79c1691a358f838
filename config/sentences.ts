import type { z } from 'zod';
import type { Path } from './problems';

/** What a schema found at a place, in a sentence without the value. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

const NO_FORM = 'has none of the forms that are allowed here';
const BAD_NAME = 'has a name that is not allowed';

const WORDS: Readonly<Record<string, string>> = {
  string: 'text: put it in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping of keys to values',
  record: 'a mapping of names to values',
  array: 'a list',
  null: 'null',
};

/**
 * Checks a value. Sentences are the schema's own where it has them, otherwise ours; zod's tell too little, and no sentence
 * repeats what was found.
 */
export function checkWith<T>(
  schema: z.ZodType<T>,
  value: unknown,
  base: Path,
): { readonly value: T } | { readonly findings: readonly Finding[] } {
  const parsed = schema.safeParse(value, { error: describe });
  if (parsed.success) return { value: parsed.data };
  return { findings: parsed.error.issues.flatMap((issue) => findingsOf(issue, base)) };
}

function describe(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = WORDS[issue.expected] ?? `a value of type ${issue.expected}`;
      return issue.input === undefined ? `is missing: it must be ${wanted}` : `must be ${wanted}`;
    }
    case 'unrecognized_keys':
      return `is not known here${allowedKeys(issue.inst)}`;
    case 'invalid_value':
      return `must be ${issue.values.map((value) => (typeof value === 'string' ? value : String(value))).join(' or ')}`;
    case 'too_small':
      return `must ${amount('at least', issue.minimum, issue.inclusive === false, issue.origin)}`;
    case 'too_big':
      return `must ${amount('at most', issue.maximum, issue.inclusive === false, issue.origin)}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.pattern === undefined ? `must be a valid ${issue.format}` : `must have the form ${issue.pattern}`;
    case 'invalid_union':
      return NO_FORM;
    case 'invalid_key':
      return BAD_NAME;
    case 'invalid_element':
    case 'custom':
      return 'is not valid';
  }
}

function amount(bound: string, limit: number | bigint, isExclusive: boolean, origin: string): string {
  const than = bound === 'at least' ? 'more than' : 'less than';
  const words = `${isExclusive ? than : bound} ${String(limit)}`;
  if (origin === 'string') return `have ${words} characters`;
  if (origin === 'array' || origin === 'set' || origin === 'map') return `have ${words} entries`;
  return `be ${words}`;
}

function allowedKeys(schema: z.core.$ZodType | z.core.$ZodCheck | undefined): string {
  const def: object = schema?._zod.def ?? {};
  const shape: unknown = 'shape' in def ? def.shape : undefined;
  const keys = typeof shape === 'object' && shape !== null ? Object.keys(shape) : [];
  return keys.length === 0 ? ': remove it' : `. Allowed: ${keys.join(', ')}`;
}

function findingsOf(issue: Issue, base: Path): readonly Finding[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: issue.message }));
  }
  if (issue.code === 'invalid_key' && issue.message === BAD_NAME) {
    return issue.issues.map(({ message }) => ({ path, message: `${BAD_NAME}: it ${message}` }));
  }
  if (issue.code === 'invalid_union' && issue.message === NO_FORM) return findingsOfUnion(issue.errors, path);
  return [{ path, message: issue.message }];
}

/** The form that was meant is the one whose kind of value fits: its problems are told, not the others'. */
function findingsOfUnion(forms: readonly (readonly Issue[])[], path: Path): readonly Finding[] {
  const meant = forms.filter(
    (issues) => !issues.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0),
  );
  const [only] = meant;
  if (meant.length === 1 && only !== undefined) return only.flatMap((issue) => findingsOf(issue, path));
  if (meant.length > 1 || forms.length === 0) return [{ path, message: NO_FORM }];
  const kinds = forms.flat().map((issue) => issue.message.replace(/^must be |^is missing: it must be /, ''));
  return [{ path, message: `must be ${[...new Set(kinds)].join(' or ')}` }];
}
