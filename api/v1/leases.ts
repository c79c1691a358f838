import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { LeaseFilter } from '../../client/leases';
import { leaseFilterQuery, leasePageBody, leaseReportBody } from '../../client/wire';
import { answer, errors } from '../describe';
import type { Identity } from '../identity/identity';
import { identityOf, requireRight } from '../request';
import type { Routes } from '../server';
import { mayKnow, requireLease } from './own';
import { filterFromWire, leaseParams, leaseToWire, reportToWire } from './shapes';

const NOTHING = { leases: [], next_cursor: null };

/** `GET /v1/leases` and `GET /v1/leases/:lease_id`. */
export const leaseRoutes: Routes = (app, deps) => {
  const typed = app.withTypeProvider<ZodTypeProvider>();

  typed.get(
    '/v1/leases',
    {
      config: { needsTemporal: true },
      schema: {
        operationId: 'listLeases',
        tags: ['leases'],
        summary: 'List leases',
        description:
          'One’s own leases (right `read`), or all (right `admin`) in one’s scopes, newest first. The index lags by a moment. A page ' +
          'may be shorter than `limit`, or empty, although more follow: only `next_cursor` null says that it was the last. From ' +
          '`entity`, the name at the provider, an admin finds a lease and its holder.',
        querystring: leaseFilterQuery,
        response: { 200: answer('A page of leases.', leasePageBody), ...errors(403, 502) },
      },
    },
    async (request) => {
      const identity = identityOf(request);
      const filter = narrow(identity, filterFromWire(request.query));
      if (filter === null) return NOTHING;
      const { leases, next } = await deps.leases.page(filter, request.query.cursor ?? null, identity.scopes);
      const shown = leases.filter((lease) => mayKnow(identity, lease));
      return { leases: shown.map(leaseToWire), next_cursor: next };
    },
  );

  typed.get(
    '/v1/leases/:lease_id',
    {
      config: { needsTemporal: true },
      schema: {
        operationId: 'getLease',
        tags: ['leases'],
        summary: 'Get a lease',
        description: 'One’s own (right `read`) or any (right `admin`) in one’s scopes, as it is now.',
        params: leaseParams,
        response: { 200: answer('The lease.', leaseReportBody), ...errors(403, 404, 502) },
      },
    },
    async (request) => reportToWire(await requireLease(deps, identityOf(request), request.params.lease_id, 'read')),
  );
};

/** What is asked of the index: without admin only one's own; null: nothing can be found. */
function narrow(identity: Identity, filter: LeaseFilter): LeaseFilter | null {
  if (identity.rights.has('admin')) return filter;
  requireRight(identity, 'read');
  if (filter.holder !== undefined && filter.holder !== identity.holder) return null;
  return { ...filter, holder: identity.holder };
}
