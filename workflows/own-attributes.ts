import { patched, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { SearchAttributePair } from '@temporalio/common';
import { ATTRIBUTES } from './contract';
import type { LeaseInput } from './contract';

/** Marks the histories of leases that were started with other search attributes than their input says. */
const OWN_ATTRIBUTES = 'own-attributes';

/**
 * Has a lease be found by what it is. Its client sets the attributes when it starts it; whoever may write to the namespace can start one
 * with others or none, and limits and bulk revokes, which find leases by them, would pass it by.
 */
export function holdToInput({ project, config, dynamicSecret, holder }: LeaseInput): void {
  const { typedSearchAttributes: told } = workflowInfo();
  const meant: SearchAttributePair[] = [
    { key: ATTRIBUTES.state, value: 'provisioning' },
    { key: ATTRIBUTES.project, value: project },
    { key: ATTRIBUTES.config, value: config },
    { key: ATTRIBUTES.dynamicSecret, value: dynamicSecret },
    { key: ATTRIBUTES.holder, value: holder },
  ];
  const wrong = meant.filter(({ key, value }) => told.get(key) !== value);
  if (wrong.length === 0 || !patched(OWN_ATTRIBUTES)) return;
  upsertSearchAttributes(wrong);
}
