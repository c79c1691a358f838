import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, WorkflowNotFoundError } from '@temporalio/common';
import type { WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import { encodeBase32 } from '../temporal/base32';
import { CALL_TIMEOUT_MS } from '../temporal/service';
import {
  BULK_REVOKE_MEMO,
  BULK_REVOKE_WORKFLOW,
  bulkRevokeId,
  WORKFLOW_QUEUE,
  WORKFLOW_TASK_TIMEOUT_MS,
} from '../workflows/contract';
import type { BulkRevokeInput, BulkRevokeProgress, RevokeFilter, RoundProgress } from '../workflows/contract';
import { beginBulkRevoke } from '../workflows/bulk-progress';
import { describeFilter } from '../workflows/filter';
import { checkMany } from './bulk-input';
import { summaryLine } from './descriptions';
import { toLeaseError } from './failures';
import { keepVerified } from './identity';
import type { Session } from './session';
import { boundsOf, within } from './waiting';

export interface BulkRevokeRequest {
  readonly filter: RevokeFilter;
  /** `<issuer alias>:<subject>`. */
  readonly by: string;
  readonly reason: string;
}

/** `stopped`: its workflow was ended by hand before it was done. */
export type BulkRevokeReport = Omit<BulkRevokeProgress, 'state'> & {
  readonly state: BulkRevokeProgress['state'] | 'stopped';
};

type Access = Pick<Session, 'client' | 'namespace'>;

const LISTED = 100;

/**
 * What is asked for, looked at and given an id, so that it can be written down before it is begun.
 * @throws LeaseError `InvalidInput` that names the field.
 */
export function prepareBulkRevoke({ filter, by, reason }: BulkRevokeRequest): BulkRevokeInput {
  const checked = checkMany(filter, reason);
  return { id: encodeBase32(randomBytes(15)), ...checked, by: keepVerified(by, 'by') };
}

/**
 * Begins to end all leases that the filter means, and keeps more from being issued. It goes on by itself once this has resolved.
 * @throws LeaseError
 */
export async function startBulkRevoke(access: Access, input: BulkRevokeInput): Promise<BulkRevokeReport> {
  const begun = beginBulkRevoke(input, new Date());
  const { client } = access;
  try {
    await within(access, boundsOf(CALL_TIMEOUT_MS), () =>
      client.workflow.start(BULK_REVOKE_WORKFLOW, {
        workflowId: bulkRevokeId(input.id),
        taskQueue: WORKFLOW_QUEUE,
        args: [input],
        memo: { [BULK_REVOKE_MEMO]: begun },
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
        staticSummary: summaryLine(`revoke all of ${describeFilter(input.filter)}`),
      }),
    );
    return begun;
  } catch (error) {
    throw toLeaseError(error);
  }
}

/** How far it has got; null if there is none of this id, or it is forgotten. Needs no worker. */
export async function readBulkRevoke(access: Access, id: string): Promise<BulkRevokeReport | null> {
  try {
    return await within(access, boundsOf(CALL_TIMEOUT_MS), async () => {
      const found = await access.client.workflow.getHandle(bulkRevokeId(id)).describe();
      const report = reportOf(found);
      return report === null || report.state !== 'running' ? report : withRound(report, found);
    });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw toLeaseError(error);
  }
}

/** The latest bulk revokes, newest first, as the index knows them. */
export async function listBulkRevokes(access: Access): Promise<readonly BulkRevokeReport[]> {
  try {
    return await within(access, boundsOf(CALL_TIMEOUT_MS), async () => {
      const reports: BulkRevokeReport[] = [];
      const query = `WorkflowType = "${BULK_REVOKE_WORKFLOW}"`;
      for await (const info of access.client.workflow.list({ query, pageSize: LISTED })) {
        const report = reportOf(info);
        if (report !== null) reports.push(report);
        if (reports.length === LISTED) break;
      }
      return reports;
    });
  } catch (error) {
    throw toLeaseError(error);
  }
}

function reportOf(info: WorkflowExecutionInfo | WorkflowExecutionDescription): BulkRevokeReport | null {
  const progress = info.memo?.[BULK_REVOKE_MEMO] as BulkRevokeProgress | undefined;
  if (info.type !== BULK_REVOKE_WORKFLOW || progress === undefined) return null;
  const isStopped = info.closeTime !== undefined && info.status.name !== 'COMPLETED';
  if (!isStopped) return progress;
  return { ...progress, state: 'stopped', endedAt: info.closeTime?.toISOString() ?? null };
}

/** What the round under way has done is not in the memo yet. */
function withRound(report: BulkRevokeReport, { raw }: WorkflowExecutionDescription): BulkRevokeReport {
  const payload = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads?.[0];
  if (payload == null) return report;
  const { found, signalled } = defaultPayloadConverter.fromPayload<RoundProgress>(payload);
  return { ...report, matched: report.matched + found, signalled: report.signalled + signalled, left: found };
}
