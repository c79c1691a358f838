import type { FastifyRequest } from 'fastify';
import { AuditError } from '../../audit/writer';
import { writeAudit } from '../audit';
import type { ApiDeps } from '../deps';
import { refusal } from '../errors';
import { identityOf } from '../request';
import type { Leased } from './issue';
import type { Place } from '../place';

/**
 * Writes down that credentials are about to be sent.
 * @throws ApiError 502: what is not on record is not sent.
 */
export async function recordDelivery(
  deps: ApiDeps,
  request: FastifyRequest,
  { project, config }: Place,
  leased: Leased,
): Promise<void> {
  const { holder } = identityOf(request);
  try {
    for (const [dynamicSecret, { leaseId }] of leased) {
      await writeAudit(deps, request, 'delivered', { leaseId, holder, project, config, dynamicSecret });
    }
  } catch (error) {
    if (!(error instanceof AuditError)) throw error;
    deps.logger.error({ error, requestId: request.id }, 'A delivery is not in the audit log: its leases are revoked.');
    throw refusal(
      502,
      'unavailable',
      'The audit log cannot be written, so that nothing is handed out: what was issued is revoked.',
    );
  }
}
