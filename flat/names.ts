/** Under which a lease's id and end are handed out beside its credential. */
export const LEASE_FIELDS = ['LEASE_ID', 'LEASE_EXPIRES_AT'] as const;

/** The names under which a dynamic secret is handed out in a flat map: `<NAME>_<FIELD>`. */
export function flatNames(dynamicSecret: string, fields: readonly string[]): readonly string[] {
  return [...fields, ...LEASE_FIELDS].map((field) => `${dynamicSecret}_${field}`);
}
