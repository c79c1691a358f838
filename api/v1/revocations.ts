import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listBulkRevokes, prepareBulkRevoke, readBulkRevoke, startBulkRevoke } from '../../client/bulk';
import type { BulkRevokeReport } from '../../client/bulk';
import type { LeaseService } from '../../client/service';
import { bulkRevokeBody, bulkRevokeListBody, bulkRevokeReportBody } from '../../client/wire';
import type { BulkRevokeReportBody } from '../../client/wire';
import type { RevokeFilter } from '../../workflows/contract';
import { noteRevoke } from '../audit';
import { answer, errors } from '../describe';
import { refusal } from '../errors';
import type { Identity } from '../identity/identity';
import { identityOf, requireRight } from '../request';
import type { Routes } from '../server';
import { fromBody, toBody } from './filter-body';
import { covers, requireReach } from './reach';

const idParams = z.object({ id: z.string().max(100) });

/** Ends all leases of a holder, project, config, dynamic secret, integration or entity, and keeps more from being issued. */
export const revocationRoutes: Routes = (plain, deps) => {
  const app = plain.withTypeProvider<ZodTypeProvider>();
  const { client, namespace, leases } = deps;

  app.post(
    '/v1/revocations',
    {
      config: { needsTemporal: true },
      schema: {
        operationId: 'revokeMany',
        summary: 'Revoke many leases',
        description:
          'Blocks what the filters mean, then revokes until two listings in a row find nothing. An admin lifts the block. For an ' +
          '`entity` nothing is blocked. Needs the right `admin`; the filters must lie within the scopes of the token.',
        tags: ['revocations'],
        body: bulkRevokeBody,
        response: { 202: answer('It has begun.', bulkRevokeReportBody), ...errors(403, 404, 413, 415, 502) },
      },
    },
    async (request, reply) => {
      const identity = identityOf(request);
      requireRight(identity, 'admin');
      const { reason, ...given } = request.body;
      const filter = await withinReach(leases, identity, fromBody(given));
      const input = prepareBulkRevoke({ filter, by: identity.holder, reason });
      const { holder, project, config, dynamicSecret, integration, entity } = filter;
      await noteRevoke(
        deps,
        request,
        'bulk_revoke_requested',
        {
          holder: holder ?? null,
          project: project ?? null,
          config: config ?? null,
          dynamicSecret: dynamicSecret ?? null,
          integration: integration ?? null,
          entity: entity ?? null,
          reason: input.reason,
        },
        { revocation: input.id },
      );
      const report = await startBulkRevoke({ client, namespace }, input);
      return reply.status(202).send(reportBody(report));
    },
  );

  app.get(
    '/v1/revocations',
    {
      config: { needsTemporal: true },
      schema: {
        operationId: 'listRevocations',
        summary: 'List revocations of many leases',
        description:
          'The latest hundred within the scopes of the token, newest first. The index lags by a moment. Needs the right `admin`.',
        tags: ['revocations'],
        response: { 200: answer('The latest.', bulkRevokeListBody), ...errors(403, 502) },
      },
    },
    async (request) => {
      const identity = identityOf(request);
      requireRight(identity, 'admin');
      const reports = await listBulkRevokes({ client, namespace });
      return { revocations: reports.filter(({ filter }) => covers(identity, filter)).map(reportBody) };
    },
  );

  app.get(
    '/v1/revocations/:id',
    {
      config: { needsTemporal: true },
      schema: {
        operationId: 'getRevocation',
        summary: 'Say how far a revocation of many leases has got',
        description: 'It goes on by itself, also while nobody asks. Needs the right `admin`.',
        tags: ['revocations'],
        params: idParams,
        response: { 200: answer('How far it is.', bulkRevokeReportBody), ...errors(403, 404, 502) },
      },
    },
    async (request) => {
      const identity = identityOf(request);
      requireRight(identity, 'admin');
      const report = await readBulkRevoke({ client, namespace }, request.params.id);
      if (report === null || !covers(identity, report.filter)) {
        throw refusal(404, 'not_found', 'There is no such revocation, or it is forgotten.');
      }
      return reportBody(report);
    },
  );
};

/** Where an entity belongs must be looked up; what its lease tells is written into the filter. */
async function withinReach(leases: LeaseService, identity: Identity, filter: RevokeFilter): Promise<RevokeFilter> {
  if (covers(identity, filter)) return filter;
  if (filter.entity === undefined) {
    requireReach(identity, filter, BEYOND);
    return filter;
  }
  const { leases: found } = await leases.page(filter, null);
  const lease = found.find((each) => covers(identity, each));
  if (lease !== undefined) return { ...filter, project: lease.project, config: lease.config };
  throw refusal(404, 'not_found', 'There is no lease of such an entity within the scopes of the token.');
}

const BEYOND = 'That reaches beyond the scopes of the token: name a project, and if need be a config, within them.';

function reportBody(report: BulkRevokeReport): BulkRevokeReportBody {
  const { id, state, filter, by, reason, remark, rounds, matched, signalled, left } = report;
  return {
    id,
    state,
    filter: toBody(filter),
    by,
    reason,
    requested_at: report.requestedAt,
    ended_at: report.endedAt,
    block_id: report.blockId,
    remark,
    rounds,
    matched,
    signalled,
    left,
    still_removing: report.stillRemoving,
  };
}
