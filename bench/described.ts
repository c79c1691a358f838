import type { SearchAttributePair } from '@temporalio/common';
import { detailsOf, summaryOf } from '../client/descriptions';
import { ATTRIBUTES } from '../workflows/contract';
import type { LeaseInput } from '../workflows/contract';

/** What the library starts a lease with beside its input. */
export interface DescribedStart {
  readonly typedSearchAttributes: SearchAttributePair[];
  readonly staticSummary: string;
  readonly staticDetails: string;
}

export function describeStart(leaseId: string, namespace: string, input: LeaseInput): DescribedStart {
  return {
    typedSearchAttributes: [
      { key: ATTRIBUTES.state, value: 'provisioning' },
      { key: ATTRIBUTES.project, value: input.project },
      { key: ATTRIBUTES.config, value: input.config },
      { key: ATTRIBUTES.dynamicSecret, value: input.dynamicSecret },
      { key: ATTRIBUTES.holder, value: input.holder },
    ],
    staticSummary: summaryOf(input),
    staticDetails: detailsOf(leaseId, namespace),
  };
}
