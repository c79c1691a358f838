import type { WorkflowHandle } from '@temporalio/client';
import { instantOf } from '../../temporal/timestamp';
import type { LeaseOutcome } from '../../workflows/contract';
import type { LeaseRun } from './trace';

export type HistoryEvent = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];
type Marker = NonNullable<HistoryEvent['markerRecordedEventAttributes']>;
type Payload = NonNullable<NonNullable<NonNullable<Marker['details']>[string]['payloads']>[number]>;

/** What a lease's history tells of its run. */
export type Told = Omit<LeaseRun, 'leaseId' | 'runId' | 'status' | 'startedAt' | 'closedAt' | 'replay'>;

type Growing = { -readonly [Field in keyof Told]: Told[Field] };

/** Reads events in their order. A run that was made by a reset has the first events of the one before it. */
export function readLeaseHistory(events: readonly HistoryEvent[]): Told {
  const told: Growing = {
    integration: null,
    state: null,
    endedAt: null,
    endedBy: null,
    delivered: false,
    plannedAt: null,
    entity: null,
    provisionScheduledAt: null,
    provisionedAt: null,
    removals: 0,
    nudges: 0,
    stuckAt: null,
    deprovisionScheduledAt: null,
    expiresAt: null,
  };
  let provision: string | null = null;
  for (const event of events) {
    const at = millisecondOf(event);
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (event.markerRecordedEventAttributes) readPlan(told, event.markerRecordedEventAttributes, at);
    if (scheduled) {
      const type = scheduled.activityType?.name;
      if (type === 'provision') {
        told.provisionScheduledAt ??= at;
        provision = String(event.eventId);
      }
      if (type === 'deprovision') {
        told.deprovisionScheduledAt ??= at;
        told.removals += 1;
      }
    }
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed && provision !== null && String(completed.scheduledEventId) === provision) told.provisionedAt = at;
    if (event.workflowExecutionSignaledEventAttributes?.signalName === 'nudge') told.nudges += 1;
    const fields = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
    if (fields) readAttributes(told, fields, at);
    const result = event.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0];
    if (result) readOutcome(told, result);
  }
  return told;
}

/** A plan that was refused is a marker with a failure. */
function readPlan(told: Growing, marker: Marker, at: number): void {
  const data = marker.details?.['data']?.payloads?.[0];
  const result = marker.details?.['result']?.payloads?.[0];
  if (marker.markerName !== 'core_local_activity' || data === undefined || result === undefined) return;
  if ((read(data) as { readonly activity_type?: string }).activity_type !== 'plan') return;
  const plan = read(result) as { readonly integration: string; readonly entity: string };
  told.plannedAt ??= at;
  told.integration = plan.integration;
  told.entity = plan.entity;
}

function readAttributes(told: Growing, fields: Readonly<Record<string, Payload>>, at: number): void {
  const state = fields['LeaseState'];
  if (state !== undefined && read(state) === 'stuck') told.stuckAt ??= at;
  const expiresAt = fields['LeaseExpiresAt'];
  if (expiresAt !== undefined) told.expiresAt = Date.parse(read(expiresAt) as string);
}

function readOutcome(told: Growing, result: Payload): void {
  const outcome = read(result) as LeaseOutcome;
  told.state = outcome.state;
  told.endedAt = Date.parse(outcome.endedAt);
  told.endedBy = outcome.endedBy;
  told.delivered = outcome.delivered;
}

function read(payload: Payload): unknown {
  return JSON.parse(Buffer.from(payload.data ?? []).toString('utf8'));
}

function millisecondOf({ eventTime }: HistoryEvent): number {
  return Math.floor(instantOf(eventTime));
}
