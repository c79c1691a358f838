import { notFound } from '../../client/end';
import type { LeaseReport, LeaseSummary } from '../../client/leases';
import type { Right } from '../../config/load';
import type { ApiDeps } from '../deps';
import { isInScope } from '../identity/identity';
import type { Identity } from '../identity/identity';
import { requireRight } from '../request';

/** Whether an identity may see and end a lease that need not be its own. */
export function isAdminOf(identity: Identity, { project, config }: LeaseSummary): boolean {
  return identity.rights.has('admin') && isInScope(identity, project, config);
}

/**
 * A lease that the identity may do something with: its own by a right, any in its scopes as an admin.
 * @throws LeaseError `LeaseNotFound`, the same for another's and for none; ApiError 403 if the right is lacking.
 */
export async function requireLease(
  { leases }: ApiDeps,
  identity: Identity,
  leaseId: string,
  right: Right,
): Promise<LeaseReport> {
  const report = await leases.get(leaseId);
  if (isAdminOf(identity, report)) return report;
  if (report.holder !== identity.holder) throw notFound(leaseId);
  requireRight(identity, right);
  return report;
}
