import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import type { History } from '@temporalio/common/lib/proto-utils';

/** One event of a history. */
export interface Moment {
  /** As in `EVENT_TYPE_WORKFLOW_TASK_STARTED`, without what all begin with. */
  readonly type: string;
  /** Milliseconds since 1970, with their fraction. */
  readonly at: number;
  /** Of a marker: what it marks. */
  readonly marker: string | null;
}

interface JsonEvent {
  readonly eventType: string;
  readonly eventTime: string;
  readonly markerRecordedEventAttributes?: { readonly markerName?: string };
}

/** The events of a history as the server gives it. */
export function momentsOf(history: History): readonly Moment[] {
  return readMoments(JSON.parse(historyToJSON(history)));
}

/** The events of a history as Temporal's tools write it. */
export function readMoments(history: unknown): readonly Moment[] {
  const { events } = history as { readonly events: readonly JsonEvent[] };
  return events.map(({ eventType, eventTime, markerRecordedEventAttributes }) => ({
    type: eventType.replace(/^EVENT_TYPE_/, ''),
    at: instantOf(eventTime),
    marker: markerRecordedEventAttributes?.markerName ?? null,
  }));
}

/** Unlike `Date.parse`, with what is less than a millisecond. */
export function instantOf(text: string): number {
  const [, whole = '', fraction = '0'] = /^(.*?)(?:\.(\d+))?Z$/.exec(text) ?? [];
  const at = Date.parse(`${whole}Z`) + Number(`0.${fraction}`) * 1_000;
  if (Number.isNaN(at)) throw new Error(`${JSON.stringify(text)} is no instant as Temporal writes it.`);
  return at;
}

/** A part of a call, up to an event. */
export interface Step {
  readonly name: string;
  /** Type of the event that ends it: the first after the end of the step before. Null: the call has returned. */
  readonly until: string | null;
}

/**
 * How long each step of a call took, in milliseconds.
 * @param call when the client began and when it had its answer, by the same clock as the events.
 * @throws Error if the history has no such events in this order.
 */
export function stepsTaken(
  steps: readonly Step[],
  moments: readonly Moment[],
  call: { readonly from: number; readonly to: number },
): readonly number[] {
  let at = call.from;
  let next = 0;
  return steps.map(({ name, until }) => {
    const begun = at;
    if (until === null) {
      at = call.to;
      return at - begun;
    }
    const index = moments.findIndex(({ type }, place) => place >= next && type === until);
    const moment = moments[index];
    if (moment === undefined) throw new Error(`The history has no ${until} that ends the step "${name}".`);
    next = index + 1;
    at = moment.at;
    return at - begun;
  });
}

/** What a history consists of. */
export interface Contents {
  readonly events: number;
  readonly workflowTasks: number;
  readonly activities: number;
  readonly localActivities: number;
  readonly upserts: number;
  readonly timers: number;
  readonly signals: number;
  readonly updates: number;
}

export function contentsOf(moments: readonly Moment[]): Contents {
  const count = (type: string): number => moments.filter((moment) => moment.type === type).length;
  return {
    events: moments.length,
    workflowTasks: count('WORKFLOW_TASK_STARTED'),
    activities: count('ACTIVITY_TASK_SCHEDULED'),
    localActivities: moments.filter(({ marker }) => marker === 'core_local_activity').length,
    upserts: count('UPSERT_WORKFLOW_SEARCH_ATTRIBUTES'),
    timers: count('TIMER_STARTED'),
    signals: count('WORKFLOW_EXECUTION_SIGNALED'),
    updates: count('WORKFLOW_EXECUTION_UPDATE_ACCEPTED'),
  };
}
