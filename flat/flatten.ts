import { LEASE_FIELDS } from './names';

/** What is handed out of a lease. */
export interface Handed {
  readonly leaseId: string;
  readonly expiresAt: Date;
  readonly credential: Readonly<Record<string, string>>;
}

/** A lease under all names under which it can be handed out. Under the dynamic secret's own name stands the lease's id. */
export function flatten(name: string, { leaseId, expiresAt, credential }: Handed): ReadonlyMap<string, string> {
  const [id, end] = LEASE_FIELDS.map((field) => `${name}_${field}`) as [string, string];
  return new Map([
    ...Object.entries(credential).map(([field, value]) => [`${name}_${field}`, value] as const),
    [id, leaseId],
    [end, expiresAt.toISOString()],
    [name, leaseId],
  ]);
}
