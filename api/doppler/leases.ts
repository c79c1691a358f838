import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { notFound } from '../../client/end';
import { LeaseError } from '../../client/leases';
import type { Revocation } from '../../client/leases';
import { findDynamicSecret } from '../../config/load';
import { noteRevoke } from '../audit';
import type { ApiDeps } from '../deps';
import { refusal } from '../errors';
import { identityOf, requireRight } from '../request';
import { recordDelivery } from './delivered';
import { checkTtl, issueTogether } from './issue';
import { findPlace } from '../place';
import { readTtlMs } from './query';
import { failures } from './secrets';
import type { Shared } from './secrets';

/** How long a revoke is waited for before it is answered as accepted. */
const CONFIRMED_WITHIN_MS = 5_000;

const name = z.string().max(100);
const whose = {
  project: name.optional().meta({ examples: ['backend'] }),
  config: name.optional().meta({ examples: ['prd'] }),
  dynamic_secret: name.optional().meta({ examples: ['S3_UPLOADS'] }),
};
const issueFields = z.object({
  ...whose,
  ttl_sec: z.unknown().optional().describe('Whole seconds. Default: the TTL of the dynamic secret.'),
});
const revokeFields = z.object({
  ...whose,
  slug: name.optional().meta({
    description: 'The id of the lease, as it was answered when it was issued.',
    examples: ['abcdefghijklmnopqrstuvwx'],
  }),
  id: name.optional().describe('The same.'),
});
const issued = z.object({
  success: z.literal(true),
  id: z.string(),
  slug: z.string(),
  expires_at: z.string(),
  value: z.record(z.string(), z.string()),
});
const revoked = z.object({
  success: z.literal(true),
  state: z.string().describe('`accepted`: certain to happen, not confirmed by the provider yet. Else how it ended.'),
});

/** Doppler's routes for one lease. Fields may stand in the body or in the query; the body goes first. */
export function leasesRoutes(app: FastifyInstance, deps: ApiDeps, shared: Shared): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.post(
    '/v3/configs/config/dynamic_secrets/dynamic_secret/leases',
    {
      schema: {
        tags: ['Doppler'],
        summary: 'Issue one lease',
        description: 'Fields may stand in the body or in the query; the body goes first.',
        querystring: issueFields,
        body: issueFields.nullish(),
        response: { 200: issued, ...failures },
      },
      config: { mayLease: true },
    },
    async (request, reply) => {
      const identity = identityOf(request);
      const { project, config, dynamic_secret: dynamicSecret, ttl_sec: ttl } = { ...request.query, ...request.body };
      const place = findPlace(deps.config(), identity, { project: project ?? '', config: config ?? '' });
      requireRight(identity, 'lease');
      const secret = needed(dynamicSecret, 'dynamic_secret');
      const found = findDynamicSecret(deps.config(), place.project, place.config, secret);
      if (!found.ok) throw new LeaseError('UnknownDynamicSecret', found.message, { field: 'dynamic_secret' });
      const ttlMs = ttl === undefined ? null : readTtlMs(ttl, 'ttl_sec');
      const names = [secret];
      checkTtl({ place, names, ttlMs }, 'ttl_sec');
      const leased = await shared.flights.board({
        key: null,
        response: reply.raw,
        depart: (signal) => issueTogether(deps, shared, { place, identity, names, ttlMs }, signal),
        handOver: (cargo) => recordDelivery(deps, request, place, cargo),
      });
      const lease = leased.get(secret);
      if (lease === undefined) throw new LeaseError('Unavailable', `${secret} was not issued.`);
      const { leaseId, expiresAt, credential } = lease;
      return reply.send({
        success: true,
        id: leaseId,
        slug: leaseId,
        expires_at: expiresAt.toISOString(),
        value: { ...credential },
      });
    },
  );

  routes.delete(
    '/v3/configs/config/dynamic_secrets/dynamic_secret/leases/lease',
    {
      schema: {
        tags: ['Doppler'],
        summary: 'Revoke one lease',
        description: 'Fields may stand in the body or in the query; the body goes first.',
        querystring: revokeFields,
        body: revokeFields.nullish(),
        response: { 200: revoked, ...failures },
      },
      config: { mayLease: true },
    },
    async (request, reply) => {
      const identity = identityOf(request);
      const { project, config, dynamic_secret: dynamicSecret, slug, id } = { ...request.query, ...request.body };
      const place = findPlace(deps.config(), identity, { project: project ?? '', config: config ?? '' });
      // Looked at first: what is missing must not tell whether there is such a lease.
      const secret = needed(dynamicSecret, 'dynamic_secret');
      const lease = await deps.leases.get(needed(slug ?? id, 'slug'));
      const { leaseId } = lease;
      const isTheirs = lease.holder === identity.holder;
      const isMeant =
        lease.project === place.project && lease.config === place.config && lease.dynamicSecret === secret;
      if (!isMeant || !(isTheirs || identity.rights.has('admin'))) throw notFound(leaseId);
      if (!identity.rights.has('admin')) requireRight(identity, 'revoke-own');
      const reason = 'asked for over HTTP';
      await noteRevoke(deps, request, 'revoke_requested', {
        leaseId,
        holder: lease.holder,
        project: lease.project,
        config: lease.config,
        dynamicSecret: lease.dynamicSecret,
        integration: lease.integration,
        entity: lease.entity,
        reason,
      });
      const state = await revoke(deps, leaseId, { by: identity.holder, reason });
      return reply.send({ success: true, state });
    },
  );
}

/** Confirmed, if that is quick, or else accepted: then it cannot be lost. */
async function revoke(
  { leases }: ApiDeps,
  leaseId: string,
  options: { readonly by: string; readonly reason: string },
): Promise<Revocation['state']> {
  const { state } = await leases.revoke(leaseId, options);
  if (state !== 'accepted') return state;
  try {
    return (await leases.revoke(leaseId, { ...options, wait: CONFIRMED_WITHIN_MS })).state;
  } catch (error) {
    if (error instanceof LeaseError) return 'accepted';
    throw error;
  }
}

function needed(value: string | undefined, field: string): string {
  if (value !== undefined && value !== '') return value;
  throw refusal(400, 'invalid_input', `${field} is missing.`, { field });
}
