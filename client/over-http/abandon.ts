import { boundsOf } from '../bounds';
import { checkLeaseId, checkRevoke } from '../input';
import { invalid } from '../refusals';
import { revokedBody } from '../wire';
import { CALL_TIMEOUT_MS, toLeaseError } from './calls';
import { ask } from './remote';
import type { Remote } from './remote';

/** See `HttpLeases.abandon`. */
export async function abandonOverHttp(
  remote: Remote,
  leaseId: string,
  options: { readonly reason: string },
): Promise<void> {
  const id = checkLeaseId(leaseId);
  const { reason } = checkRevoke(options);
  if (reason === null || reason.trim() === '') throw invalid('reason', 'must be text that is not blank');
  try {
    await ask(
      remote,
      boundsOf(CALL_TIMEOUT_MS),
      { method: 'POST', path: `/v1/leases/${id}/abandon`, body: { reason }, harmless: false },
      revokedBody,
      { leaseId: id },
    );
  } catch (error) {
    throw toLeaseError(error, { leaseId: id });
  }
}
