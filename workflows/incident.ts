import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { deprovisionQueue, report } from './contract';
import type {
  DeprovisionActivities,
  IncidentInput,
  KeepingActivities,
  OpenIncident,
  ProbeResult,
  RecordedEvent,
  ReportInput,
} from './contract';
import { incidentDetails, recoveredNotice, stuckNotice } from './notices';
import { createOutbox } from './outbox';

/** So much of both, and a run hands over to a fresh one: its history must stay short however long an outage lasts. */
const MAX_REPORTS = 500;
const MAX_EVENTS = 4_000;
/** Between the first stuck lease and the alert: those that follow in the same moment are counted in it. */
const GATHER = '2s';
/** Temporal's index lags: that nothing fails is believed when it was seen twice, this far apart. */
const SETTLE = '5s';
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

const keeping = proxyActivities<KeepingActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/**
 * An integration's trouble with removals. While some fail, one of them is tried every ten seconds; once one succeeds, all that
 * wait are nudged. When a lease is stuck people are told once, and once more when none is.
 */
export async function incident(input: IncidentInput): Promise<OpenIncident> {
  const { integration } = input;
  let reports = 0;
  let stuckReports = input.stuck === true ? 1 : 0;
  let open: OpenIncident = input.open ?? {
    id: workflowInfo().runId,
    openedAt: new Date().toISOString(),
    alertedAt: null,
    nudgeRounds: 0,
  };
  const outbox = createOutbox(input.unsent ?? []);
  const work = new CancellationScope();
  const progress = { over: false };
  /** What had been reported when it was last looked whether anything is stuck. */
  let answered = { reports: 0, stuckReports: 0 };

  setHandler(
    report,
    (argument: ReportInput | null | undefined) => {
      reports += 1;
      if (argument?.stuck === true) stuckReports += 1;
    },
    { description: 'Tells of one more removal that fails. Used by workers, not by hand.' },
  );
  const change = (known: Partial<OpenIncident>): void => {
    open = { ...open, ...known };
    setCurrentDetails(incidentDetails(integration, open));
  };
  const keep = (event: RecordedEvent, details: Readonly<Record<string, string | number>>): Promise<void> =>
    keeping.record({ ...NO_LEASE, id: `${open.id}/${event}`, event, integration, details });

  const alert = async (): Promise<void> => {
    await condition(() => stuckReports > 0 || progress.over);
    if (stuckReports === 0 || open.alertedAt !== null) return;
    await sleep(GATHER, { summary: 'others may be stuck too' });
    const survey = await keeping.survey({ integration });
    // Gone meanwhile: nobody need be woken.
    if (survey.stuck === 0 && progress.over) return;
    const at = new Date().toISOString();
    const webhooks = await keeping.webhooks();
    await keep('incident_opened', { openedAt: open.openedAt, stuck: survey.stuck });
    change({ alertedAt: at });
    for (const webhook of webhooks) outbox.add({ ...stuckNotice(integration, open, survey, at), webhook });
  };

  const recover = async (): Promise<void> => {
    for (;;) {
      const seen = { reports, stuckReports };
      const { outcome } = await probe(integration);
      if (outcome === 'removed') {
        change({ nudgeRounds: open.nudgeRounds + 1 });
        await nudging(integration).nudgeWaiting({ integration });
        // A provider that comes and goes must not have its leases nudged, and their histories grow, all the time.
        const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (open.nudgeRounds - 1), LONGEST_PAUSE_MS);
        await sleep(pauseMs, { summary: 'before the removals are looked at again' });
        continue;
      }
      await sleep(SETTLE, { summary: 'before it is believed that nothing fails any more' });
      const { stuck } = await keeping.survey({ integration });
      answered = seen;
      if (stuck === 0 && reports === seen.reports) return;
    }
  };

  change({});
  const working = work.run(async () => {
    const alerting = alert();
    await recover();
    progress.over = true;
    await alerting;
  });
  const ended = working.then(
    () => true,
    (error: unknown) => {
      if (isCancellation(error)) return false;
      throw error;
    },
  );
  await Promise.race([ended, condition(() => reports >= MAX_REPORTS || workflowInfo().historyLength >= MAX_EVENTS)]);
  if (CancellationScope.current().consideredCancelled) {
    await ended;
    throw new CancelledFailure('Cancelled in Temporal. The next removal that fails opens another incident.');
  }
  if (!progress.over) {
    work.cancel();
    if (!(await ended)) {
      await condition(allHandlersFinished);
      return continueAsNew<typeof incident>({
        integration,
        open,
        stuck: stuckReports > 0,
        unsent: outbox.stop(),
      });
    }
  }
  await ended;
  if (open.alertedAt !== null) {
    const at = new Date().toISOString();
    const webhooks = await keeping.webhooks();
    await keep('incident_closed', { openedAt: open.openedAt, nudgeRounds: open.nudgeRounds });
    for (const webhook of webhooks) outbox.add({ ...recoveredNotice(integration, open, at), webhook });
  }
  const isNew = (): boolean => reports !== answered.reports;
  await outbox.empty(isNew);
  await condition(allHandlersFinished);
  // What was reported after the last look is another incident.
  if (isNew()) {
    const stuck = stuckReports !== answered.stuckReports;
    return continueAsNew<typeof incident>({ integration, stuck, unsent: outbox.stop() });
  }
  return open;
}

const NO_LEASE = {
  leaseId: null,
  holder: null,
  project: null,
  config: null,
  dynamicSecret: null,
  entity: null,
  by: null,
  reason: null,
} as const;

/** Every so often it ends without success, so that an integration that no worker serves any more is looked at too. */
async function probe(integration: string): Promise<ProbeResult> {
  for (;;) {
    try {
      return await probing(integration).probe({ integration });
    } catch (error) {
      if (isCancellation(error)) throw error;
      const { removing: left } = await keeping.survey({ integration });
      if (left === 0) return { outcome: 'quiet' };
    }
  }
}

function probing(integration: string): DeprovisionActivities {
  return proxyActivities<DeprovisionActivities>({
    taskQueue: deprovisionQueue(integration),
    scheduleToCloseTimeout: '10m',
    startToCloseTimeout: '5m',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '10s', backoffCoefficient: 1 },
    summary: `try one of the removals of ${integration}`,
  });
}

function nudging(integration: string): DeprovisionActivities {
  return proxyActivities<DeprovisionActivities>({
    taskQueue: deprovisionQueue(integration),
    startToCloseTimeout: '1h',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '1m' },
    summary: `nudge all waiting removals of ${integration}`,
  });
}
