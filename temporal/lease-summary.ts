import type { WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import { ATTRIBUTES, LEASE_ENDS } from '../workflows/contract';
import type { LeaseState } from '../workflows/contract';
import type { LeaseSummary, SeenState } from './seen-lease';

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
