import { defaultPayloadConverter, WorkflowNotFoundError } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import { summarise } from '../../temporal/lease-summary';
import type { LeaseSummary } from '../../temporal/seen-lease';
import { buildQuery, matches } from '../../temporal/query';
import { CALL_TIMEOUT_MS } from '../../temporal/service';
import type { DeprovisionInput, Survey } from '../../workflows/contract';

/** A removal that a lease has asked for, as Temporal knows it at this moment. */
export interface PendingRemoval {
  readonly leaseId: string;
  readonly runId: string;
  /** Whether its last attempt failed, for another reason than that absence is not proven yet. */
  readonly failing: boolean;
  /** Whether it waits for the time of its next attempt. */
  readonly waiting: boolean;
  /** The sentence of the last failure. */
  readonly failure: string | null;
}

const DEPROVISION = 'deprovision';
/** Temporal's PENDING_ACTIVITY_STATE_SCHEDULED: with an attempt behind it, that is a back-off. */
const SCHEDULED = 1;
const PAGE = 200;

/** Leases of an integration whose removal has begun, newest first, as the index knows them. */
export async function* listRemoving(client: Client, integration: string): AsyncGenerator<LeaseSummary> {
  const query = { integration, state: ['deprovisioning', 'stuck'] } as const;
  for await (const info of client.workflow.list({ query: buildQuery(query), pageSize: PAGE })) {
    const lease = summarise(info);
    if (matches(lease, query)) yield lease;
  }
}

/** Asks the server about one lease; null if nothing is being removed for it now. */
export async function findRemoval(client: Client, leaseId: string): Promise<PendingRemoval | null> {
  try {
    const { raw, runId } = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      client.workflow.getHandle(leaseId).describe(),
    );
    const pending = raw.pendingActivities?.find(({ activityType }) => activityType?.name === DEPROVISION);
    if (pending == null) return null;
    const { attempt, state, lastFailure } = pending;
    const unproven = lastFailure?.applicationFailureInfo?.type === 'AbsenceUnproven';
    const failing = (attempt ?? 1) > 1 && lastFailure != null && !unproven;
    return { leaseId, runId, failing, waiting: (state as number) === SCHEDULED, failure: lastFailure?.message ?? null };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** What the lease's workflow gave its removal to work with. It is in history, whatever has become of the configuration. */
export async function readRemovalInput(client: Client, removal: PendingRemoval): Promise<DeprovisionInput | null> {
  const { events } = await client.workflow.getHandle(removal.leaseId, removal.runId).fetchHistory();
  const scheduled = events
    ?.map(({ activityTaskScheduledEventAttributes: attributes }) => attributes)
    .findLast((attributes) => attributes?.activityType?.name === DEPROVISION);
  const payload = scheduled?.input?.payloads?.[0];
  return payload == null ? null : defaultPayloadConverter.fromPayload<DeprovisionInput>(payload);
}

/** How many removals there are, and what one of the stuck ones suffers from. */
export async function surveyRemovals(client: Client, integration: string): Promise<Survey> {
  const count = async (state: 'stuck' | 'deprovisioning'): Promise<number> =>
    (await client.workflow.count(buildQuery({ integration, state }))).count;
  return client.withDeadline(Date.now() + CALL_TIMEOUT_MS, async () => {
    const stuck = await count('stuck');
    return {
      stuck,
      removing: stuck + (await count('deprovisioning')),
      example: await findExample(client, integration),
    };
  });
}

async function findExample(client: Client, integration: string): Promise<Survey['example']> {
  for await (const info of client.workflow.list({ query: buildQuery({ integration, state: 'stuck' }), pageSize: 1 })) {
    const removal = await findRemoval(client, info.workflowId);
    return { leaseId: info.workflowId, failure: removal?.failure ?? null };
  }
  return null;
}
