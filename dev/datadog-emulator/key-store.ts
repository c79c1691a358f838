import { randomUUID } from 'node:crypto';

/** How long what was done takes to be seen everywhere. All 0 at the start. */
export interface Propagation {
  /** From a key's creation until lists and gets show it. */
  readonly shownAfterMs: number;
  /** From a key's creation until it is honoured. */
  readonly honouredAfterMs: number;
  /** From a key's deletion until it is no longer honoured. */
  readonly honouredForMs: number;
}

/** A key without its value. */
export interface KeyRecord {
  readonly id: string;
  readonly name: string;
  /** The user who owns it; of an API key: who made it. */
  readonly ownerId: string;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
}

export interface StoredKey extends KeyRecord {
  readonly key: string;
}

export function recordOf<Key extends StoredKey>(key: Key): Omit<Key, 'key'> {
  const record: Omit<Key, 'key'> & { key?: string } = { ...key };
  delete record.key;
  return record;
}

/** What nobody asks for. */
type Given = 'id' | 'createdAt' | 'modifiedAt';

export interface KeyStore<Key extends StoredKey> {
  add(key: Omit<Key, Given>): Key;
  /** Answers the key as it is now; undefined: there is none. */
  change(id: string, fields: Partial<Omit<Key, Given>>): Key | undefined;
  /** Answers whether there was one. */
  remove(id: string): boolean;
  /** All there are, in the order in which they were made. */
  all(): readonly Key[];
  /** Those that lists and gets know of by now. */
  shown(): readonly Key[];
  /** The key of this value, if it is honoured at the moment. */
  honoured(value: string): Key | undefined;
  /** Id of the key that has or had this value. */
  idOf(value: string): string | null;
}

export function createKeyStore<Key extends StoredKey>(propagation: () => Propagation): KeyStore<Key> {
  let live: Key[] = [];
  const ids = new Map<string, string>();
  let deleted: { readonly key: Key; readonly at: number }[] = [];

  return {
    add: (given) => {
      const now = new Date();
      const key = { ...given, id: randomUUID(), createdAt: now, modifiedAt: now } as Key;
      live = [...live, key];
      ids.set(key.key, key.id);
      return key;
    },
    change: (id, fields) => {
      live = live.map((key) => (key.id === id ? { ...key, ...fields, modifiedAt: new Date() } : key));
      return live.find((key) => key.id === id);
    },
    remove: (id) => {
      const key = live.find((each) => each.id === id);
      if (key === undefined) return false;
      live = live.filter((each) => each !== key);
      deleted.push({ key, at: Date.now() });
      return true;
    },
    all: () => live,
    shown: () => live.filter((key) => key.createdAt.getTime() + propagation().shownAfterMs <= Date.now()),
    honoured: (value) => {
      const { honouredAfterMs, honouredForMs } = propagation();
      deleted = deleted.filter(({ at }) => Date.now() < at + honouredForMs);
      return [
        ...live.filter((key) => key.createdAt.getTime() + honouredAfterMs <= Date.now()),
        ...deleted.map(({ key }) => key),
      ].find(({ key }) => key === value);
    },
    idOf: (value) => ids.get(value) ?? null,
  };
}
