import { proxyActivities, proxyLocalActivities, workflowInfo } from '@temporalio/workflow';
import type { KeepingActivities, RecordedEvent, RecordInput } from './contract';
import { insist } from './insist';
import type { LeaseRecord } from './record';
import { remark } from './record';
import { whyEnded } from './why-ended';

type Details = RecordInput['details'];

/** What a lease tells the audit log. A log that cannot be written holds up no removal, and nothing meant for it is lost. */
export interface Journal {
  /** Writes now; false: it could not be written, and is forgotten. For what must not happen unwritten. */
  insist(event: RecordedEvent, details?: Details): Promise<boolean>;
  /** Writes now, or at the lease's end at the latest. */
  write(event: RecordedEvent, details?: Details): Promise<void>;
  /** Writes a last event and whatever could not be written before, however long that takes. */
  close(event: RecordedEvent, details?: Details): Promise<void>;
}

const atOnce = proxyLocalActivities<KeepingActivities>({
  startToCloseTimeout: '3s',
  retry: { initialInterval: '200ms', maximumAttempts: 3 },
});

const forSure = proxyActivities<KeepingActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  summary: 'write the audit line',
});

export function createJournal(record: LeaseRecord): Journal {
  const unwritten: RecordInput[] = [];
  const repeats = new Map<RecordedEvent, number>();
  // A lease id is issued again where its idempotency key was freed.
  const { runId } = workflowInfo();

  const compose = (event: RecordedEvent, details: Details): RecordInput => {
    const { leaseId, holder, project, config, dynamicSecret, integration, entity } = record.view;
    const count = (repeats.get(event) ?? 0) + 1;
    repeats.set(event, count);
    return {
      id: `${leaseId}/${runId}/${event}${count === 1 ? '' : `/${count}`}`,
      event,
      leaseId,
      holder,
      project,
      config,
      dynamicSecret,
      integration,
      entity,
      ...whyEnded(event, record),
      details,
    };
  };

  const attempt = async (input: RecordInput): Promise<boolean> => {
    try {
      await atOnce.record(input);
      return true;
    } catch {
      // Why not is in the worker's log; what follows from it is the caller's business.
      return false;
    }
  };

  return {
    insist: async (event, details = {}) => !record.keepsRecords || attempt(compose(event, details)),
    write: async (event, details = {}) => {
      if (!record.keepsRecords) return;
      const input = compose(event, details);
      if (!(await attempt(input))) unwritten.push(input);
    },
    close: async (event, details = {}) => {
      if (!record.keepsRecords) return;
      const last = compose(event, details);
      if (unwritten.length === 0 && (await attempt(last))) return;
      remark(record, 'The lease is over. Its workflow stays open until the audit log can be written.');
      for (const input of [...unwritten, last]) await insist(() => forSure.record(input));
    },
  };
}
