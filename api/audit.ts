import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { AuditEvent, AuditRecord } from '../audit/writer';
import type { ApiDeps } from './deps';

/** What is known of what somebody asked for over HTTP. */
export interface Asked {
  readonly leaseId?: string | null;
  readonly project?: string | null;
  readonly config?: string | null;
  readonly dynamicSecret?: string | null;
  readonly integration?: string | null;
  readonly entity?: string | null;
  readonly holder?: string | null;
  readonly reason?: string | null;
}

/**
 * Writes down who asked for what, from where.
 * @throws AuditError: what must be on record is not done without it.
 */
export function writeAudit(
  { audit }: Pick<ApiDeps, 'audit'>,
  request: FastifyRequest,
  event: AuditEvent,
  asked: Asked,
  details: AuditRecord['details'] = {},
): Promise<void> {
  const { identity } = request;
  return audit.write({
    id: `${request.id}/${event}/${asked.leaseId ?? randomUUID()}`,
    event,
    holder: identity?.holder,
    by: identity?.holder,
    ...asked,
    details: { tokenId: identity?.tokenId ?? null, source: request.ip, requestId: request.id, ...details },
  });
}

/** As {@link writeAudit}, of a removal: a log that cannot be written must not keep a credential alive. That it lacks the line is logged. */
export async function noteRevoke(
  deps: Pick<ApiDeps, 'audit' | 'logger'>,
  request: FastifyRequest,
  event: 'revoke_requested' | 'bulk_revoke_requested',
  asked: Asked,
  details?: AuditRecord['details'],
): Promise<void> {
  try {
    await writeAudit(deps, request, event, asked, details);
  } catch (error) {
    deps.logger.error({ error, requestId: request.id }, 'A revoke is not in the audit log.');
  }
}
