import { z } from 'zod';
import type { LeaseFilter, LeaseReport, LeaseSummary, Revocation } from '../../client/leases';
import { wireCode } from '../../client/wire-code';
import type { LeaseBody, leaseFilterQuery, LeaseReportBody, RevokedBody } from '../../client/wire';
import { LEASE_ID_PATTERN } from '../../workflows/contract';

export const leaseParams = z.object({
  lease_id: z
    .string()
    .regex(LEASE_ID_PATTERN, 'must be 24 characters of lower-case base 32')
    .describe('As answered when it was issued.'),
});

export function leaseToWire(lease: LeaseSummary): LeaseBody {
  return {
    lease_id: lease.leaseId,
    state: lease.state,
    project: lease.project,
    config: lease.config,
    dynamic_secret: lease.dynamicSecret,
    integration: lease.integration,
    holder: lease.holder,
    entity: lease.entity,
    requested_at: lease.requestedAt.toISOString(),
    expires_at: lease.expiresAt?.toISOString() ?? null,
    ended_at: lease.endedAt?.toISOString() ?? null,
  };
}

export function reportToWire(report: LeaseReport): LeaseReportBody {
  const { endedBy, reason, failure } = report;
  return {
    ...leaseToWire(report),
    ended_by: endedBy,
    reason,
    failure: failure === null ? null : { code: wireCode(failure.type), message: failure.message },
  };
}

export function revocationToWire({ leaseId, state, endedAt, endedBy, reason }: Revocation): RevokedBody {
  return { lease_id: leaseId, state, ended_at: endedAt?.toISOString() ?? null, ended_by: endedBy, reason };
}

export function filterFromWire(query: z.output<typeof leaseFilterQuery>): LeaseFilter {
  const { state, project, config, dynamic_secret: dynamicSecret, integration, holder, entity, live, limit } = query;
  return {
    ...(state === undefined ? {} : { state }),
    ...(project === undefined ? {} : { project }),
    ...(config === undefined ? {} : { config }),
    ...(dynamicSecret === undefined ? {} : { dynamicSecret }),
    ...(integration === undefined ? {} : { integration }),
    ...(holder === undefined ? {} : { holder }),
    ...(entity === undefined ? {} : { entity }),
    ...(live === undefined ? {} : { live: live === 'true' }),
    ...(limit === undefined ? {} : { pageSize: Number(limit) }),
  };
}
