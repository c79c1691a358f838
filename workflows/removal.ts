import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  isCancellation,
  patched,
  proxyActivities,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { DEPROVISION_ATTEMPT_MS, deprovisionQueue } from './contract';
import type { DeprovisionActivities, DeprovisionInput, KeepingActivities, Plan } from './contract';
import type { Ending } from './ending';
import { insist } from './insist';
import type { Journal } from './journal';
import type { Remains } from './provisioning';
import type { LeaseRecord } from './record';
import { move, remark } from './record';

/** The removal of a lease's entity: goes on until the provider confirmed it or an operator gave up. */
export interface Removal {
  /** Answers whether the entity is gone; false: abandoned. */
  run(plan: Plan, remains: Remains): Promise<boolean>;
  /** Tries at once instead of waiting out the back-off. */
  nudge(): void;
  abandon(ending: Ending): void;
}

/** Nudges that follow one another more quickly are ignored. */
const NUDGE_EVERY_MS = 5_000;

/**
 * Each nudge adds some ten events, one that is ignored still adds four, and Temporal ends a workflow of 51,200 events. As it takes no
 * more than 10,000 signals, it never comes to that from here on. The back-off goes on without any.
 */
const MOST_EVENTS = 10_000;

/** Marks the histories of leases that were nudged when theirs had grown too long for it. */
const LONG = 'too-long-to-be-nudged';

function isLong(): boolean {
  return workflowInfo().historyLength > MOST_EVENTS && patched(LONG);
}

const keeping = proxyActivities<KeepingActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
  summary: 'report the lease as stuck',
});

export function createRemoval(record: LeaseRecord, journal: Journal): Removal {
  let attempt: CancellationScope | null = null;
  let abandoned = false;
  let nudgedAt = 0;

  const run = async (plan: Plan, remains: Remains): Promise<boolean> => {
    move(record, { state: 'deprovisioning' });
    let over = false;
    const reporting = new CancellationScope();
    const watch = watchStuck(record, plan, remains, () => over).then((isStuck) =>
      isStuck && record.keepsRecords ? reporting.run(() => reportStuck(record, plan, journal)) : undefined,
    );
    try {
      return await removeForEver(plan, remains);
    } finally {
      over = true;
      reporting.cancel();
      await watch;
    }
  };

  const removeForEver = async (plan: Plan, remains: Remains): Promise<boolean> => {
    for (;;) {
      const scope = new CancellationScope();
      attempt = scope;
      try {
        return await scope.run(() => removeOnce(plan, remains));
      } catch {
        // Only a cancelled scope throws here: it was nudged or abandoned.
        if (abandoned) return false;
      } finally {
        attempt = null;
      }
    }
  };

  const removeOnce = async (plan: Plan, remains: Remains): Promise<boolean> => {
    for (;;) {
      try {
        await deprovision(record, plan, remains);
        return true;
      } catch (error) {
        if (isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
        // The activity retries by itself for ever: it can only have been failed by hand.
        remark(record, 'The pending removal was ended by hand, which does not end the lease: it is tried again.');
        await sleep('10s', { summary: 'before removal is tried again' });
      }
    }
  };

  return {
    run,
    nudge: () => {
      // A flood of nudges must not keep cutting off attempts that are under way.
      if (attempt === null || Date.now() < nudgedAt + NUDGE_EVERY_MS || isLong()) return;
      nudgedAt = Date.now();
      attempt.cancel();
    },
    abandon: (ending) => {
      // Whoever was first gave it up: the line that says so must not depend on when a task is computed.
      if (abandoned) return;
      if (attempt === null) {
        remark(
          record,
          `abandon by ${ending.by} was ignored: there is nothing to give up while the lease is ${record.view.state}.`,
        );
        return;
      }
      abandoned = true;
      move(record, { endedBy: ending.by, reason: ending.reason });
      attempt.cancel();
    },
  };
}

function deprovision(record: LeaseRecord, plan: Plan, remains: Remains): Promise<void> {
  const { integration, entity, handle, timings } = plan;
  const input: DeprovisionInput = {
    leaseId: record.view.leaseId,
    integration,
    entity,
    handle,
    absenceCertainAt: remains.absenceCertainAt.toISOString(),
    ...(record.provisioned === null ? {} : { facts: record.provisioned.facts }),
  };
  const activities = proxyActivities<DeprovisionActivities>({
    taskQueue: deprovisionQueue(integration),
    // No schedule-to-close and no maximum of attempts: removal is never given up.
    startToCloseTimeout: DEPROVISION_ATTEMPT_MS,
    heartbeatTimeout: timings.heartbeatTimeoutMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
    summary: `deprovision ${plan.kind} ${entity}`,
  });
  return activities.deprovision(input);
}

/** By a timer and not by the activity's failures: a queue that nobody polls produces none. Answers whether it got so far. */
async function watchStuck(record: LeaseRecord, plan: Plan, remains: Remains, isOver: () => boolean): Promise<boolean> {
  const from = Math.max(Date.now(), remains.absenceCertainAt.getTime());
  const due = from + plan.timings.stuckAfterMs;
  const removed = await condition(isOver, due - Date.now(), { summary: 'removal is called stuck if it takes longer' });
  if (!removed) move(record, { state: 'stuck' });
  return !removed;
}

/** Tried until it is done or the lease has ended after all. */
async function reportStuck(record: LeaseRecord, { integration }: Plan, journal: Journal): Promise<void> {
  try {
    await journal.write('stuck');
    const advice = await insist(() => keeping.reportStuck({ integration }));
    if (advice !== null) remark(record, advice);
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
}
