import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { filesUnder } from './canaries';
import { createLeakSearch } from './leak-search';

/** Values that must be nowhere, and places where they are looked for. */
export interface LeakHunt {
  /** A value that must not be found. Of several lines: each of them. */
  readonly canaries: { add(name: string, value: string): void };
  /** @param kind e.g. `histories`: the row of the table. */
  place(kind: string, name: string, content: string | Uint8Array): void;
  /** Any value, in all ways in which it is printed. */
  printed(kind: string, name: string, value: unknown): void;
  /** Any value, as whoever prints it sees it, and with all that it shows to nobody who does not ask. */
  value(kind: string, name: string, value: unknown): void;
  /** All files below a directory, but for these. */
  files(kind: string, directory: string, but?: readonly string[]): Promise<void>;
  /** A text that is known to stand in places of this kind: were it not found, nothing else would be. */
  control(kind: string, text: string): void;
  /** Fails if a canary was found, or if a kind has no control or not the text of one. */
  end(): void;
}

interface Place {
  readonly kind: string;
  readonly name: string;
  readonly content: Uint8Array;
}

/** Where rows of the table go, if anybody prints one: see scripts/leaks.mjs. */
const TABLE = process.env['LEASEHOLD_LEAK_TABLE'];

/** @param title of its part of the table. */
export function startLeakHunt(title: string): LeakHunt {
  const values = new Map<string, string>();
  const places: Place[] = [];
  const controls = new Map<string, string[]>();
  const place: LeakHunt['place'] = (kind, name, content) => {
    places.push({ kind, name, content: typeof content === 'string' ? Buffer.from(content) : content });
  };
  return {
    canaries: {
      add: (name, value) => {
        for (const line of value.split('\n').filter((each) => each !== '' && !each.startsWith('-----'))) {
          if (line.length < 16) throw new Error(`${name} is too short to be looked for.`);
          values.set(values.has(name) ? `${name} (${values.size})` : name, line);
        }
      },
    },
    place,
    printed: (kind, name, value) => {
      place(kind, name, printsOf(value).join('\n'));
    },
    value: (kind, name, value) => {
      place(kind, name, allOf(value));
    },
    files: async (kind, directory, but = []) => {
      const files = (await filesUnder(directory)).filter((file) => !but.includes(file));
      for (const file of files) place(kind, file, await readFile(file));
    },
    control: (kind, text) => {
      controls.set(kind, [...(controls.get(kind) ?? []), text]);
    },
    end: () => {
      const search = createLeakSearch(values);
      const rows = new Map<string, { places: number; bytes: number; findings: string[] }>();
      for (const { kind, name, content } of places) {
        const row = rows.get(kind) ?? { places: 0, bytes: 0, findings: [] };
        rows.set(kind, row);
        row.places += 1;
        row.bytes += content.byteLength;
        row.findings.push(...search.find(content).map((value) => `${value} in ${kind}: ${name}`));
      }
      const blind = [...new Set([...rows.keys(), ...controls.keys()])].filter((kind) => {
        const texts = controls.get(kind) ?? [];
        const planted = new Map(texts.map((text) => [text, text]));
        const seen = new Set(
          places.filter((each) => each.kind === kind).flatMap(({ content }) => createLeakSearch(planted).find(content)),
        );
        return texts.length === 0 || texts.some((text) => !seen.has(text));
      });
      if (TABLE !== undefined) {
        const told = [...rows].map(([kind, row]) => ({ kind, ...row, findings: row.findings.length }));
        appendFileSync(TABLE, `${JSON.stringify({ title, canaries: values.size, blind, rows: told })}\n`);
      }
      expect(values.size).toBeGreaterThan(0);
      expect([...rows.values()].flatMap(({ findings }) => findings)).toEqual([]);
      expect(blind).toEqual([]);
    },
  };
}

/** What `console.log` with `%o` and `%j`, template strings and loggers make of a value. */
function printsOf(value: unknown): string[] {
  const whole = { depth: Infinity, maxArrayLength: null, maxStringLength: null };
  return [
    String(value),
    inspect(value, whole),
    inspect(value, { ...whole, showHidden: true, getters: true }),
    toJson(value),
  ];
}

function toJson(value: unknown): string {
  try {
    const text: unknown = JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
    return typeof text === 'string' ? text : '';
  } catch {
    // It refers to itself.
    return '';
  }
}

/** A value as it is printed, and with every property that it or what hangs on it has, enumerable or not. */
export function allOf(value: unknown): string {
  const parts = printsOf(value);
  collect(value, parts, new Set());
  return parts.join('\n');
}

/** Functions are left alone: static getters may do more than get. */
function collect(value: unknown, parts: string[], seen: Set<unknown>): void {
  if (typeof value === 'string' || typeof value === 'symbol') parts.push(String(value));
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Uint8Array) {
    parts.push(Buffer.from(value).toString('latin1'));
    return;
  }
  if (value instanceof Map || value instanceof Set) for (const each of value) collect(each, parts, seen);
  for (let owner: object | null = value; owner !== null && owner !== Object.prototype; owner = prototypeOf(owner)) {
    for (const key of Reflect.ownKeys(owner)) {
      // Of a protobuf message `$type` is the schema, and with it all other schemas.
      if (key === 'constructor' || key === '$type') continue;
      parts.push(String(key));
      try {
        collect(Reflect.get(owner, key, value), parts, seen);
      } catch {
        // A getter that wants something else.
      }
    }
  }
}

function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null;
}
