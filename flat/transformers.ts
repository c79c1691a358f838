/** Two secrets that would be handed out under one name. The message names both. */
export class SameNameError extends Error {
  override readonly name = 'SameNameError';
}

/** Turns the name of a secret into what a program expects. */
type Transform = (name: string) => string;

/** Doppler's names for them. */
export const TRANSFORMERS = {
  'upper-camel': (name) => words(name).map(capital).join(''),
  camel: (name) => {
    const [first = '', ...rest] = words(name);
    return first + rest.map(capital).join('');
  },
  'lower-kebab': (name) => words(name).join('-'),
  'lower-snake': (name) => name.toLowerCase(),
  'tf-var': (name) => `TF_VAR_${name.toLowerCase()}`,
  'dotnet-env': (name) => sections(name).join('__'),
  dotnet: (name) => sections(name).join(':'),
} as const satisfies Record<string, Transform>;

export type Transformer = keyof typeof TRANSFORMERS;

/**
 * Names as they are handed out, each with the name that it has here.
 * @throws SameNameError if two become the same.
 */
export function transformNames(names: readonly string[], transformer: Transformer | null): ReadonlyMap<string, string> {
  const transform: Transform = transformer === null ? (name) => name : TRANSFORMERS[transformer];
  const transformed = new Map<string, string>();
  const taken = new Map<string, string>();
  for (const name of names) {
    const as = transform(name);
    const other = taken.get(as);
    if (other !== undefined) {
      throw new SameNameError(`${other} and ${name} would both be handed out as ${as}: rename one of them.`);
    }
    taken.set(as, name);
    transformed.set(name, as);
  }
  return transformed;
}

function words(name: string): readonly string[] {
  return name
    .toLowerCase()
    .split('_')
    .filter((word) => word !== '');
}

/** Two underscores stand between the sections of a .NET configuration. */
function sections(name: string): readonly string[] {
  return name.split('__').map((section) => words(section).map(capital).join(''));
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
