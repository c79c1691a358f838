import { constants, inflateRawSync } from 'node:zlib';

/** Looks for values in bytes, in every spelling in which they may stand there. */
export interface LeakSearch {
  /** Names of the values that are in it, whole or in half. */
  find(content: Uint8Array): readonly string[];
}

/** Shorter ones would be found where nobody has put them. */
const SHORTEST = 8;

/**
 * Halves are looked for, not wholes: what is cut in two, by a page of a database or a chunk of a log, still shows one of them.
 * @param values by name, of sixteen characters at least.
 */
export function createLeakSearch(values: ReadonlyMap<string, string>): LeakSearch {
  const needles = new Map<number, { readonly bytes: Buffer; readonly name: string }[]>();
  // One bit of each first four bytes, so that all needles are looked for in one pass.
  const begins = new Uint8Array(BUCKETS);
  for (const [name, value] of values) {
    for (const spelling of spellingsOf(value)) {
      for (const bytes of halvesOf(spelling)) {
        const key = bytes.readUInt32LE(0);
        begins[bucketOf(key)] = 1;
        needles.set(key, [...(needles.get(key) ?? []), { bytes, name }]);
      }
    }
  }

  function look(content: Buffer, found: Set<string>): void {
    if (content.length < SHORTEST) return;
    let key = content.readUInt32LE(0);
    for (let end = 4; ; end += 1) {
      if (begins[bucketOf(key)] === 1) {
        for (const { bytes, name } of needles.get(key) ?? []) {
          if (bytes.equals(content.subarray(end - 4, end - 4 + bytes.length))) found.add(name);
        }
      }
      if (end === content.length) return;
      key = ((key >>> 8) | (content[end]! << 24)) >>> 0;
    }
  }

  return {
    find: (content) => {
      const found = new Set<string>();
      const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
      look(bytes, found);
      for (const unpacked of unpack(bytes)) look(unpacked, found);
      return [...found];
    },
  };
}

const BUCKETS = 1 << 16;
/** To look up a global takes long in jest, and this is done for each byte. */
const { imul } = Math;

function bucketOf(key: number): number {
  return (imul(key, 0x9e3779b1) >>> 16) & (BUCKETS - 1);
}

/** A value as it may stand in JSON, in a URL, in HTML, in a form, in base 64 wherever in it, in hexadecimal, and in UTF-16. */
function spellingsOf(value: string): readonly Buffer[] {
  const json = JSON.stringify(value).slice(1, -1);
  const url = encodeURIComponent(value);
  const texts = [value, json, JSON.stringify(json).slice(1, -1), url, url.toLowerCase(), encodeURI(value)];
  texts.push(new URLSearchParams({ '': value }).toString().slice(1), escapeHtml(value));
  const hex = Buffer.from(value).toString('hex');
  texts.push(hex, hex.toUpperCase());
  // Where it stands in what is encoded decides which characters come out: of three ways one is right, but for its edges.
  const encoded = [0, 1, 2].flatMap((offset) => inBase64(value, offset));
  texts.push(...encoded, ...encoded.flatMap((each) => [0, 1, 2].flatMap((offset) => inBase64(each, offset))));
  const distinct = [...new Set(texts)].filter((text) => text.length >= 2 * SHORTEST);
  return [...distinct.map((text) => Buffer.from(text)), Buffer.from(value, 'utf16le')];
}

function inBase64(value: string, offset: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
  const skip = offset === 0 ? 0 : offset + 1;
  const whole = bytes.toString('base64').slice(skip).replace(/.?=+$/, '').slice(0, -1);
  return [whole, whole.replaceAll('+', '-').replaceAll('/', '_')];
}

function escapeHtml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function halvesOf(spelling: Buffer): readonly Buffer[] {
  const middle = Math.floor(spelling.length / 2);
  return [spelling.subarray(0, middle), spelling.subarray(middle)];
}

/** How compressed data begins, and how long that is which says so. */
const PACKED = [
  { begin: [0x1f, 0x8b, 0x08, 0x00], head: 10 },
  { begin: [0x78, 0x01], head: 2 },
  { begin: [0x78, 0x9c], head: 2 },
  { begin: [0x78, 0xda], head: 2 },
].map(({ begin, head }) => ({ begin: Buffer.from(begin), head }));

/** What is compressed in it, as far as it can be read. */
function unpack(content: Buffer): Buffer[] {
  const unpacked: Buffer[] = [];
  for (const { begin, head } of PACKED) {
    for (let at = content.indexOf(begin); at >= 0; at = content.indexOf(begin, at + 1)) {
      try {
        unpacked.push(inflateRawSync(content.subarray(at + head), { finishFlush: constants.Z_SYNC_FLUSH }));
      } catch {
        // It only looked like it.
      }
    }
  }
  return unpacked;
}
