import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { SearchAttributePair } from '@temporalio/common';
import { ATTRIBUTES } from './contract';
import type { LeaseInput, LeaseView, Plan, Provisioned } from './contract';
import type { Ending } from './ending';
import { detailsOf } from './view';

/** All that a lease workflow knows. One object, passed from phase to phase. */
export interface LeaseRecord {
  readonly input: LeaseInput;
  view: LeaseView;
  plan: Plan | null;
  provisioned: Provisioned | null;
  /** Latest instant at which provision can have ended, as Temporal counts; milliseconds since 1970. */
  provisionedBy: number;
  /** Set by revoke or cancel: from then on the credential is never handed over. */
  condemned: Ending | null;
  /** True once removal is decided: a later revoke changes nothing. */
  ending: boolean;
  /** Whether this lease writes audit lines and reports itself as stuck: those begun under 0.1.0 do not. */
  readonly keepsRecords: boolean;
  /** When its end was asked for or came; null while it has not. */
  dueAt: string | null;
  /** A sentence for the operator that is no part of the state, e.g. why a signal did nothing. */
  remark: string | null;
}

/** Whether revoke or cancel has come. */
export function isCondemned(record: LeaseRecord): boolean {
  return record.condemned !== null;
}

/** The only way to change what others see of a lease: view, search attributes and details move together. */
export function move(record: LeaseRecord, change: Partial<LeaseView>): void {
  record.view = { ...record.view, ...change };
  const pairs: SearchAttributePair[] = [];
  if (change.state !== undefined) pairs.push({ key: ATTRIBUTES.state, value: change.state });
  if (change.integration != null) pairs.push({ key: ATTRIBUTES.integration, value: change.integration });
  if (change.entity != null) pairs.push({ key: ATTRIBUTES.entity, value: change.entity });
  if (change.expiresAt != null) pairs.push({ key: ATTRIBUTES.expiresAt, value: new Date(change.expiresAt) });
  if (pairs.length > 0) upsertSearchAttributes(pairs);
  setCurrentDetails(detailsOf(record.view, record.remark));
}

/** Leaves a sentence for the operator. */
export function remark(record: LeaseRecord, text: string): void {
  record.remark = text;
  move(record, {});
}
