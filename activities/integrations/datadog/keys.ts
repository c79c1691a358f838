import { IntegrationError } from '../integration';
import type { Call, Calls, Reader } from './calls';
import { isNotFound, unreadable } from './errors';

/** A key as lists show it: without its value. */
export interface ListedKey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date | null;
  /** Whose it is; null of an API key, which belongs to the organization. */
  readonly ownerId: string | null;
}

export interface KeyPage {
  readonly keys: readonly ListedKey[];
  /** How many match on all pages; null: not told. */
  readonly total: number | null;
  /** Of how many at most; null: not told. */
  readonly limit: number | null;
}

export interface NewKey {
  readonly id: string;
  readonly value: string;
}

/** One of the two kinds of key, and how they are found, made and deleted. */
export interface KeyKind {
  /** In words, e.g. `API key`. */
  readonly what: string;
  /** The service account whose keys they are; null: they are the organization's. */
  readonly owner: string | null;
  /** Under which of its facts a lease tells the id of its key. */
  readonly idFact: 'api_key_id' | 'app_key_id';
  /** @param filter what names must contain. @param number from 0. */
  list(filter: string, number: number): Call<KeyPage>;
  /** How the key of this id is called. */
  nameOf(id: string): Call<string>;
  create(name: string): Call<NewKey>;
  remove(id: string): Call<void>;
}

/** The most that Datadog gives on one page. */
export const PAGE_SIZE = 100;

/** Every key of this kind with exactly this name. Datadog's filter finds others that merely contain it. */
export async function findKeys(reader: Reader, kind: Pick<KeyKind, 'list'>, name: string): Promise<ListedKey[]> {
  const found: ListedKey[] = [];
  for (let number = 0; ; number += 1) {
    const page = await reader.read(kind.list(name, number));
    found.push(...page.keys.filter((key) => key.name === name));
    if (isLast(page, number)) return found;
  }
}

/** The same, where an account that Datadog does not know has no keys: they went with it. */
export async function findKeysIfAny(reader: Reader, kind: KeyKind, name: string): Promise<ListedKey[] | 'no owner'> {
  try {
    return await findKeys(reader, kind, name);
  } catch (error) {
    if (kind.owner !== null && isNotFound(error)) return 'no owner';
    throw error;
  }
}

export function isLast({ keys, total }: KeyPage, number: number): boolean {
  if (keys.length === 0) return true;
  return total === null ? keys.length < PAGE_SIZE : number * PAGE_SIZE + keys.length >= total;
}

/** Deletes one key; false: there was none. */
export async function deleteKey(calls: Calls, kind: KeyKind, id: string): Promise<boolean> {
  try {
    await calls.change(kind.remove(id));
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Of an answer that lists keys: none of it may be missed, so one entry that cannot be read spoils it all. */
export function readPage(
  body: {
    readonly data?: readonly ListedEntry[];
    readonly meta?: { readonly page?: { readonly totalFilteredCount?: number } };
  },
  limit: number | undefined,
  operation: string,
): KeyPage {
  const { data, meta } = body;
  if (!Array.isArray(data)) throw unreadable({ operation });
  const total = meta?.page?.totalFilteredCount;
  return {
    keys: (data as readonly ListedEntry[]).map((entry) => readEntry(entry, operation)),
    total: typeof total === 'number' ? total : null,
    limit: typeof limit === 'number' ? limit : null,
  };
}

export interface ListedEntry {
  readonly id?: string;
  readonly attributes?: { readonly name?: string; readonly createdAt?: string };
  readonly relationships?: {
    readonly ownedBy?: { readonly data?: { readonly id: string } };
    readonly createdBy?: object;
  };
}

/** Of an answer that shows one key. Datadog may tell the key's value with it, which goes no further than this. */
export function readName(
  { data }: { readonly data?: { readonly attributes?: { readonly name?: string } } },
  operation: string,
): string {
  const name = data?.attributes?.name;
  if (typeof name !== 'string') throw unreadable({ operation });
  return name;
}

/** Of an answer that shows a new key: its value is told this once. */
export function readNewKey(
  { data }: { readonly data?: { readonly id?: string; readonly attributes?: { readonly key?: string } } },
  operation: string,
): NewKey {
  const id = data?.id;
  const value = data?.attributes?.key;
  if (typeof id === 'string' && typeof value === 'string' && value !== '') return { id, value };
  throw new IntegrationError('Unavailable', { operation, hint: 'The answer held no key.' });
}

function readEntry({ id, attributes, relationships }: ListedEntry, operation: string): ListedKey {
  const name = attributes?.name;
  if (typeof id !== 'string' || typeof name !== 'string') throw unreadable({ operation });
  const createdAt = new Date(attributes?.createdAt ?? NaN);
  const ownerId = relationships?.ownedBy?.data?.id;
  return {
    id,
    name,
    createdAt: Number.isNaN(createdAt.getTime()) ? null : createdAt,
    ownerId: typeof ownerId === 'string' ? ownerId : null,
  };
}
