/** Without a prototype, so that asking for `constructor` finds nothing unless somebody configured it. */
export function mapNames<A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A, name: string) => B,
): Record<string, B> {
  const mapped = Object.create(null) as Record<string, B>;
  for (const [name, value] of Object.entries(record)) mapped[name] = change(value, name);
  return mapped;
}

/** The entries under a field of something that was read and not yet checked; none if it is no mapping. */
export function entriesOf(value: unknown, field: string): readonly [string, unknown][] {
  const inner = fieldOf(value, field);
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? Object.entries(inner) : [];
}

/** The items under a field of something that was read and not yet checked; none if it is no list. */
export function itemsOf(value: unknown, field: string): readonly unknown[] {
  const inner = fieldOf(value, field);
  return Array.isArray(inner) ? inner : [];
}

/** A field of something that was read and not yet checked; undefined if it has none. */
export function fieldOf(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[field];
}
