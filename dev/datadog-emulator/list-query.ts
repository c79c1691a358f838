import { Refused } from './answers';
import type { StoredKey } from './key-store';

const DEFAULT_PAGE_SIZE = 10;
const MAX_PAGE_SIZE = 100;

/** Fields that a list of keys can be sorted by. */
const SORTS = {
  name: (key: StoredKey) => key.name,
  created_at: (key: StoredKey) => key.createdAt.toISOString(),
  modified_at: (key: StoredKey) => key.modifiedAt.toISOString(),
  last4: last4,
} as const;

export interface Page<Key> {
  readonly keys: readonly Key[];
  /** How many there are on all pages. */
  readonly total: number;
}

/** The page of the keys that a list's query asks for. @throws Refused */
export function pageOf<Key extends StoredKey>(keys: readonly Key[], query: URLSearchParams): Page<Key> {
  const size = wholeNumber(query, 'page[size]', DEFAULT_PAGE_SIZE, 1, MAX_PAGE_SIZE);
  const number = wholeNumber(query, 'page[number]', 0, 0, Number.MAX_SAFE_INTEGER);
  const matching = sorted(filtered(keys, query), query.get('sort') ?? 'name');
  return { keys: matching.slice(number * size, (number + 1) * size), total: matching.length };
}

export function last4({ key }: StoredKey): string {
  return key.slice(-4);
}

function filtered<Key extends StoredKey>(keys: readonly Key[], query: URLSearchParams): readonly Key[] {
  // Not by the whole name: whoever takes the first match may have another's key.
  const text = query.get('filter')?.toLowerCase() ?? '';
  const isCreatedWithin = within(query, 'filter[created_at]');
  const isModifiedWithin = within(query, 'filter[modified_at]');
  const owner = query.get('filter[owned_by]');
  return keys.filter(
    ({ name, createdAt, modifiedAt, ownerId }) =>
      name.toLowerCase().includes(text) &&
      isCreatedWithin(createdAt) &&
      isModifiedWithin(modifiedAt) &&
      (owner === null || ownerId === owner),
  );
}

function sorted<Key extends StoredKey>(keys: readonly Key[], sort: string): readonly Key[] {
  const isDescending = sort.startsWith('-');
  const field = sort.replace(/^-/, '');
  if (!Object.hasOwn(SORTS, field)) throw new Refused(400, `Invalid sort: ${sort}`);
  const valueOf = SORTS[field as keyof typeof SORTS];
  const ascending = [...keys].sort((a, b) => (valueOf(a) < valueOf(b) ? -1 : valueOf(a) > valueOf(b) ? 1 : 0));
  return isDescending ? ascending.reverse() : ascending;
}

function wholeNumber(query: URLSearchParams, name: string, absent: number, least: number, most: number): number {
  const text = query.get(name);
  if (text === null) return absent;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least || number > most) {
    throw new Refused(400, `Invalid ${name}: a number from ${least} to ${most} is expected`);
  }
  return number;
}

function within(query: URLSearchParams, name: string): (date: Date) => boolean {
  const start = instant(query, `${name}[start]`);
  const end = instant(query, `${name}[end]`);
  return (date) => (start === null || date >= start) && (end === null || date <= end);
}

function instant(query: URLSearchParams, name: string): Date | null {
  const text = query.get(name);
  if (text === null) return null;
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new Refused(400, `Invalid ${name}: a date and time is expected`);
  return date;
}
