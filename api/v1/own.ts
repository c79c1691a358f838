import { notFound } from '../../client/end';
import type { LeaseReport, LeaseSummary } from '../../client/leases';
import type { Right } from '../../config/load';
import type { ApiDeps } from '../deps';
import { isInScope } from '../identity/identity';
import type { Identity } from '../identity/identity';
import { requireRight } from '../request';

/**
 * Whether an identity may know of a lease: within its scopes its own, as an admin any. Its own elsewhere belong to other callers of the
 * same holder, such as another branch of the same repository.
 */
export function mayKnow(identity: Identity, { project, config, holder }: LeaseSummary): boolean {
  return isInScope(identity, project, config) && (holder === identity.holder || identity.rights.has('admin'));
}

/**
 * A lease that the identity may do something with: its own by a right, any as an admin, and none out of its scopes.
 * @throws LeaseError `LeaseNotFound`, the same for one that it may not know of and for none; ApiError 403 if the right is lacking.
 */
export async function requireLease(
  { leases }: ApiDeps,
  identity: Identity,
  leaseId: string,
  right: Right,
): Promise<LeaseReport> {
  const report = await leases.get(leaseId);
  if (!mayKnow(identity, report)) throw notFound(leaseId);
  // An admin has every right.
  requireRight(identity, right);
  return report;
}
