import type { Block, BulkRevocation, LeaseReport, LeaseSummary, ManyFilter, Revocation } from '../../client/http';
import { wireCode } from '../../client/wire-code';

// What is printed with --json: the names of the HTTP API. Changing them changes what others' programs read: add, do not rename.

type Json = Readonly<Record<string, unknown>>;

export function summaryJson(lease: LeaseSummary): Json {
  return {
    lease_id: lease.leaseId,
    state: lease.state,
    project: lease.project,
    config: lease.config,
    dynamic_secret: lease.dynamicSecret,
    integration: lease.integration,
    holder: lease.holder,
    entity: lease.entity,
    requested_at: instant(lease.requestedAt),
    expires_at: instant(lease.expiresAt),
    ended_at: instant(lease.endedAt),
  };
}

export function reportJson(lease: LeaseReport): Json {
  const { failure } = lease;
  return {
    ...summaryJson(lease),
    ended_by: lease.endedBy,
    reason: lease.reason,
    failure: failure === null ? null : { code: wireCode(failure.type), message: failure.message },
  };
}

export function revocationJson({ leaseId, state, endedAt, endedBy, reason }: Revocation): Json {
  return { lease_id: leaseId, state, ended_at: instant(endedAt), ended_by: endedBy, reason };
}

export function bulkJson(revocation: BulkRevocation): Json {
  return {
    id: revocation.id,
    state: revocation.state,
    filter: filterJson(revocation.filter),
    by: revocation.by,
    reason: revocation.reason,
    requested_at: instant(revocation.requestedAt),
    ended_at: instant(revocation.endedAt),
    block_id: revocation.blockId,
    remark: revocation.remark,
    rounds: revocation.rounds,
    matched: revocation.matched,
    signalled: revocation.signalled,
    left: revocation.left,
    still_removing: revocation.stillRemoving,
  };
}

export function blockJson({ id, filter, by, reason, at }: Block): Json {
  return { id, filter: filterJson(filter), by, reason, at: instant(at) };
}

function filterJson({ dynamicSecret, ...rest }: ManyFilter): Json {
  return { ...rest, ...(dynamicSecret === undefined ? {} : { dynamic_secret: dynamicSecret }) };
}

function instant(date: Date | null): string | null {
  return date?.toISOString() ?? null;
}
