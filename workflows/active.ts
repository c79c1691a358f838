import type { CancellationScope } from '@temporalio/workflow';
import {
  ActivityCancellationType,
  ApplicationFailure,
  condition,
  patched,
  proxyActivities,
} from '@temporalio/workflow';
import { deprovisionQueue, isHopeless, MAX_EXTENSIONS } from './contract';
import type { DeprovisionActivities, ExtendInput, Extension, Plan } from './contract';
import type { Journal } from './journal';
import type { LeaseRecord } from './record';
import { isCondemned, move } from './record';
import { planning } from './provisioning';
import { nothingWasMade, readFailure, refusal } from './refusal';

/** Marks the histories of leases that keep an earlier end which an attempt before a refused one may have given the provider. */
const EARLIER_ATTEMPTS = 'earlier-attempts';

/** Whether the credential may still be handed over or extended. */
export function isLive(record: LeaseRecord): boolean {
  return record.view.state === 'active' && !record.ending && !isCondemned(record) && Date.now() < expiryOf(record);
}

/** Sleeps until the lease is condemned or its expiry, which may move meanwhile, has come. Never wakes before. */
export async function sleepUntilEnd(record: LeaseRecord): Promise<void> {
  while (!isCondemned(record) && Date.now() < expiryOf(record)) {
    const expiry = expiryOf(record);
    await condition(() => isCondemned(record) || expiryOf(record) !== expiry, expiry - Date.now(), {
      summary: `until the lease expires at ${new Date(expiry).toISOString()}`,
    });
  }
}

/** Refuses, before anything is written to history, an extension that cannot succeed. */
export function validateExtend(record: LeaseRecord, input: ExtendInput | undefined): void {
  const ttlMs: unknown = input?.ttlMs;
  if (typeof ttlMs !== 'number' || !Number.isSafeInteger(ttlMs) || ttlMs <= 0) {
    throw refusal('InvalidTtl', 'extend needs {"ttlMs": n} with a positive whole number of milliseconds.');
  }
  if (!isLive(record)) throw notActive(record);
  if (record.view.extensions >= MAX_EXTENSIONS) throw limitReached();
}

/** The `extend` update: at most one at a time, in the scope that is cancelled when the lease leaves `active`. */
export function createExtender(
  record: LeaseRecord,
  scope: CancellationScope,
  journal: Journal,
): (input: ExtendInput) => Promise<Extension> {
  let busy = false;
  const extend = async (ttlMs: number): Promise<Extension> => {
    const plan = record.plan;
    if (plan === null || !isLive(record)) throw notActive(record);
    if (record.view.extensions >= MAX_EXTENSIONS) throw limitReached();
    const { project, config, dynamicSecret } = record.input;
    const issuedAt = Date.parse(record.view.issuedAt ?? record.view.requestedAt);
    // Counted before it is decided: a refused one takes up one of Temporal's updates too.
    move(record, { extensions: record.view.extensions + 1 });
    await planning.planExtension({ project, config, dynamicSecret, ttlMs, ageMs: Date.now() - issuedAt });
    if (!isLive(record)) throw notActive(record);
    const before = expiryOf(record);
    const wanted = Date.now() + ttlMs;
    if (wanted < before) {
      // Shortening: our timer first, so that the lease never outlives a provider-side expiry that already moved.
      setExpiry(record, wanted);
      try {
        await moveAtProvider(record, plan, wanted);
      } catch (error) {
        // If it is not known what the provider did, at an attempt before the last included, the earlier end stands: a later mark at
        // the provider does no harm.
        const unknown =
          !isHopeless(readFailure(error, '').type) || (!nothingWasMade(error) && patched(EARLIER_ATTEMPTS));
        if (unknown) return { expiresAt: new Date(wanted).toISOString() };
        if (isLive(record)) setExpiry(record, before);
        throw error;
      }
    } else {
      await moveAtProvider(record, plan, wanted);
      if (!isLive(record)) throw notActive(record);
      setExpiry(record, wanted);
    }
    return { expiresAt: new Date(wanted).toISOString() };
  };
  const takeTurn = async (): Promise<void> => {
    try {
      // Every extension that waits wakes when one ends: all but the first must wait again.
      while (busy) await condition(() => !busy);
      busy = true;
    } catch (error) {
      // It was the lease that ended meanwhile.
      throw scope.consideredCancelled ? notActive(record) : error;
    }
  };
  return (input) =>
    scope.run(async () => {
      await takeTurn();
      try {
        const extension = await extend(input.ttlMs);
        await journal.write('extended', { expiresAt: extension.expiresAt });
        return extension;
      } catch (error) {
        if (scope.consideredCancelled) throw notActive(record);
        if (error instanceof ApplicationFailure) throw error;
        const failure = readFailure(error, 'The provider did not move the expiry in time; the old expiry stands.');
        throw refusal(failure.type, failure.message);
      } finally {
        busy = false;
      }
    });
}

function moveAtProvider(record: LeaseRecord, plan: Plan, expiry: number): Promise<void> {
  const { integration, entity, handle, timings } = plan;
  const expiresAt = new Date(expiry).toISOString();
  const activities = proxyActivities<DeprovisionActivities>({
    taskQueue: deprovisionQueue(integration),
    scheduleToCloseTimeout: timings.issueTimeoutMs,
    startToCloseTimeout: timings.attemptTimeoutMs,
    heartbeatTimeout: timings.heartbeatTimeoutMs,
    // The end of the lease does not wait for an extension; the fence stops an attempt that is still under way.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s' },
    // They share a queue with removals, which many of them must not hold up.
    priority: { priorityKey: 4 },
    summary: `extend ${plan.kind} ${entity} to ${expiresAt}`,
  });
  return activities.extend({ leaseId: record.view.leaseId, integration, entity, handle, expiresAt });
}

function expiryOf(record: LeaseRecord): number {
  return Date.parse(record.view.expiresAt ?? '');
}

function setExpiry(record: LeaseRecord, expiry: number): void {
  move(record, { expiresAt: new Date(expiry).toISOString() });
}

function notActive(record: LeaseRecord): ApplicationFailure {
  return refusal('LeaseNotActive', `Lease ${record.view.leaseId} cannot be extended: it is ${ended(record)}.`);
}

function ended(record: LeaseRecord): string {
  return record.view.state === 'active' ? 'at its end' : record.view.state;
}

function limitReached(): ApplicationFailure {
  return refusal('ExtensionLimit', `A lease can be extended ${MAX_EXTENSIONS} times. Issue a new one.`);
}
