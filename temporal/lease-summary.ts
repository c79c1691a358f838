import type { WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import { ATTRIBUTES, LEASE_ENDS } from '../workflows/contract';
import type { LeaseState } from '../workflows/contract';

/**
 * A lease's state as a client sees it. `terminated`: its workflow was terminated or timed out in Temporal, so that no removal
 * ran and none will; the credential may still work at the provider.
 */
export type SeenState = LeaseState | 'terminated';

export interface LeaseSummary {
  readonly leaseId: string;
  readonly state: SeenState;
  readonly project: string;
  readonly config: string;
  readonly dynamicSecret: string;
  /** Null until planned, as is `entity`. */
  readonly integration: string | null;
  readonly holder: string;
  /** Name of what was made at the provider. */
  readonly entity: string | null;
  readonly requestedAt: Date;
  /** When the lease ends, or was to end; null if it was never issued. */
  readonly expiresAt: Date | null;
  readonly endedAt: Date | null;
}

/** A lease as its workflow's search attributes tell it. */
export function summarise(info: WorkflowExecutionInfo | WorkflowExecutionDescription): LeaseSummary {
  const attributes = info.typedSearchAttributes;
  return {
    leaseId: info.workflowId,
    state: stateOf(info),
    project: attributes.get(ATTRIBUTES.project) ?? '',
    config: attributes.get(ATTRIBUTES.config) ?? '',
    dynamicSecret: attributes.get(ATTRIBUTES.dynamicSecret) ?? '',
    integration: attributes.get(ATTRIBUTES.integration) ?? null,
    holder: attributes.get(ATTRIBUTES.holder) ?? '',
    entity: attributes.get(ATTRIBUTES.entity) ?? null,
    requestedAt: info.startTime,
    expiresAt: attributes.get(ATTRIBUTES.expiresAt) ?? null,
    endedAt: info.closeTime ?? null,
  };
}

function stateOf(info: WorkflowExecutionInfo | WorkflowExecutionDescription): SeenState {
  const state = (info.typedSearchAttributes.get(ATTRIBUTES.state) ?? 'provisioning') as LeaseState;
  if (info.closeTime === undefined) return state;
  return info.status.name === 'COMPLETED' && LEASE_ENDS.some((end) => end === state) ? state : 'terminated';
}
