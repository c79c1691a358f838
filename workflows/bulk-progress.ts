import type { BulkRevokeInput, BulkRevokeProgress } from './contract';

/** Of a bulk revoke that was just asked for. */
export function beginBulkRevoke({ id, filter, by, reason }: BulkRevokeInput, requestedAt: Date): BulkRevokeProgress {
  return {
    id,
    filter,
    by,
    reason,
    state: 'running',
    requestedAt: requestedAt.toISOString(),
    endedAt: null,
    blockId: null,
    remark: null,
    rounds: 0,
    matched: 0,
    signalled: 0,
    left: 0,
    stillRemoving: 0,
  };
}
