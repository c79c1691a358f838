/** Many values to look for at once. */
export interface Needles {
  /** Bytes of the longest one: pieces of a text that is searched piece by piece are to overlap by so much. */
  readonly longest: number;
  /** Names of those that stand in these bytes. */
  find(bytes: Uint8Array): ReadonlySet<string>;
}

/** Shorter ones would be found everywhere. */
const SHORTEST = 12;
/** What is compared first: the last bytes of a value, where those differ that begin alike. */
const WINDOW = 8;
const HASH_BITS = 22;
/** Globals are slow to look up where jest runs things, and this is needed for each byte. */
const { imul } = Math;

/**
 * Prepares values to be searched for, by their names, in every spelling. A text is gone through once, however many there are: a
 * byte costs one look into a table.
 */
export function createNeedles(values: ReadonlyMap<string, string>): Needles {
  const table = new Uint8Array(1 << (HASH_BITS - 3));
  const byWindow = new Map<string, { readonly name: string; readonly bytes: Buffer }[]>();
  let longest = 0;
  for (const [name, value] of values) {
    if (value.length < SHORTEST) throw new Error(`${name} is too short to be looked for.`);
    for (const spelling of spellingsOf(value)) {
      const bytes = Buffer.from(spelling);
      longest = Math.max(longest, bytes.length);
      const window = bytes.toString('latin1', bytes.length - WINDOW);
      byWindow.set(window, [...(byWindow.get(window) ?? []), { name, bytes }]);
      const hash = hashOf(bytes.readUInt32LE(bytes.length - WINDOW));
      table[hash >>> 3]! |= 1 << (hash & 7);
    }
  }
  return {
    longest,
    find: (bytes) => {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const found = new Set<string>();
      if (text.length < WINDOW) return found;
      const end = text.length - WINDOW;
      let word = text.readUInt32LE(0);
      for (let at = 0; at <= end; at += 1) {
        const hash = hashOf(word);
        if ((table[hash >>> 3]! & (1 << (hash & 7))) !== 0) {
          for (const needle of byWindow.get(text.toString('latin1', at, at + WINDOW)) ?? []) {
            const from = at + WINDOW - needle.bytes.length;
            if (from >= 0 && needle.bytes.equals(text.subarray(from, at + WINDOW))) found.add(needle.name);
          }
        }
        word = (word >>> 8) | (text[at + 4]! << 24);
      }
      return found;
    },
  };
}

function hashOf(word: number): number {
  return imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
}

/** A value as it is, as it stands in JSON and in URLs, in hexadecimal, and in base 64 at the beginning or within of what is encoded. */
function spellingsOf(value: string): ReadonlySet<string> {
  const bytes = Buffer.from(value);
  const encoded = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    // Characters that depend on what stands before or behind are left out.
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  return new Set([
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    bytes.toString('hex'),
    ...encoded,
    ...encoded.map((each) => each.replaceAll('+', '-').replaceAll('/', '_')),
  ]);
}
