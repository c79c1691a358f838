import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { FastifyReply } from 'fastify';
import { LeaseError } from '../../client/leases';
import type { LeaseReport, Revocation, RevokeOptions } from '../../client/leases';
import { abandonBody, extendBody, extendedBody, revokeBody, revokedBody } from '../../client/wire';
import { parseTtl, TtlError } from '../../workflows/ttl';
import { noteRevoke, writeAudit } from '../audit';
import type { Asked } from '../audit';
import type { ApiDeps } from '../deps';
import { answer, errors } from '../describe';
import { refusal } from '../errors';
import { identityOf } from '../request';
import type { Routes } from '../server';
import { goneSignal } from '../gone';
import { requireLease } from './own';
import { leaseParams, revocationToWire } from './shapes';

const LONGEST_WAIT_MS = 5 * 60_000;

/** Extend, revoke and abandon. */
export const changeRoutes: Routes = (app, deps) => {
  const typed = app.withTypeProvider<ZodTypeProvider>();

  typed.post(
    '/v1/leases/:lease_id/extend',
    {
      config: { mayLease: true, needsTemporal: true },
      schema: {
        operationId: 'extendLease',
        tags: ['leases'],
        summary: 'Extend or shorten a lease',
        description:
          'Moves the end of an active lease to `ttl` from now, later or earlier. One’s own (right `lease`) or any (`admin`) in one’s scopes.',
        params: leaseParams,
        body: extendBody,
        response: { 200: answer('The new end.', extendedBody), ...errors(403, 404, 409, 413, 415, 502) },
      },
    },
    async (request) => {
      const { lease_id: leaseId } = request.params;
      await requireLease(deps, identityOf(request), leaseId, 'lease');
      const expiresAt = await deps.leases.extend(leaseId, request.body.ttl);
      return { lease_id: leaseId, expires_at: expiresAt.toISOString() };
    },
  );

  typed.post(
    '/v1/leases/:lease_id/revoke',
    {
      config: { mayLease: true, needsTemporal: true },
      schema: {
        operationId: 'revokeLease',
        tags: ['leases'],
        summary: 'Revoke a lease',
        description:
          'Ends a lease now. One’s own (right `revoke-own`) or any (`admin`) in one’s scopes. A revoke that was accepted is certain to ' +
          'happen; one of a lease that has ended succeeds and answers how it ended.',
        params: leaseParams,
        body: revokeBody.nullish(),
        response: {
          200: answer('The lease has ended, and the provider confirmed the removal.', revokedBody),
          202: answer('The revoke was accepted; the removal is not confirmed yet.', revokedBody),
          ...errors(403, 404, 409, 413, 415, 502),
        },
      },
    },
    async (request, reply) => {
      const identity = identityOf(request);
      const { reason, wait } = request.body ?? {};
      const waitMs = readWait(wait);
      const report = await requireLease(deps, identity, request.params.lease_id, 'revoke-own');
      await noteRevoke(deps, request, 'revoke_requested', { ...askedOf(report), reason: reason ?? null });
      const options = { by: identity.holder, ...(reason === undefined ? {} : { reason }) };
      const revocation = await revoke(deps, reply, report.leaseId, options, waitMs);
      void reply.status(revocation.state === 'accepted' ? 202 : 200);
      return revocationToWire(revocation);
    },
  );

  typed.post(
    '/v1/leases/:lease_id/abandon',
    {
      config: { needsTemporal: true },
      schema: {
        operationId: 'abandonLease',
        tags: ['leases'],
        summary: 'Give up the removal of a lease',
        description:
          'For a removal that cannot succeed: the lease ends as `abandoned`, and what is left at the provider is the sweep’s. The ' +
          'credential may go on working. Needs the right `admin`.',
        params: leaseParams,
        body: abandonBody,
        response: {
          202: answer('It was asked for.', revokedBody),
          ...errors(403, 404, 409, 413, 415, 502),
        },
      },
    },
    async (request, reply) => {
      const identity = identityOf(request);
      const report = await requireLease(deps, identity, request.params.lease_id, 'admin');
      const { reason } = request.body;
      await writeAudit(deps, request, 'abandon_requested', { ...askedOf(report), reason });
      await deps.leases.abandon(report.leaseId, { by: identity.holder, reason });
      void reply.status(202);
      return revocationToWire(accepted(report.leaseId));
    },
  );
};

/** Asked first and waited for afterwards, so that a wait that runs out never leaves open whether the revoke was accepted. */
async function revoke(
  { leases }: ApiDeps,
  reply: FastifyReply,
  leaseId: string,
  options: RevokeOptions,
  waitMs: number | null,
): Promise<Revocation> {
  const asked = await leases.revoke(leaseId, options);
  if (asked.state !== 'accepted' || waitMs === null) return asked;
  try {
    return await leases.revoke(leaseId, { ...options, wait: waitMs, signal: goneSignal(reply) });
  } catch (error) {
    if (error instanceof LeaseError && ['Timeout', 'Aborted', 'Unavailable'].includes(error.code)) return asked;
    throw error;
  }
}

/** Null: not to be waited for. */
function readWait(wait: boolean | string | undefined): number | null {
  if (wait === undefined || wait === false) return null;
  if (wait === true) return LONGEST_WAIT_MS;
  try {
    const ms = parseTtl(wait);
    if (ms <= LONGEST_WAIT_MS) return ms;
  } catch (error) {
    if (!(error instanceof TtlError)) throw error;
  }
  throw refusal(400, 'invalid_input', 'wait must be true, false or a duration such as 30s, at most 5m.', {
    field: 'wait',
  });
}

function accepted(leaseId: string): Revocation {
  return { leaseId, state: 'accepted', endedAt: null, endedBy: null, reason: null };
}

/** The lease of an audit line; `holder` is whose it is, not who asks. */
function askedOf({ leaseId, project, config, dynamicSecret, integration, entity, holder }: LeaseReport): Asked {
  return { leaseId, project, config, dynamicSecret, integration, entity, holder };
}
