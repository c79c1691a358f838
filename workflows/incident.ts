import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { report, upkeepQueue } from './contract';
import type {
  IncidentInput,
  KeepingActivities,
  OpenIncident,
  ProbeResult,
  RecordedEvent,
  RecordInput,
  Survey,
  UpkeepActivities,
} from './contract';
import { insist } from './insist';
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
/** After so long without a round of nudges the next one is a first one again. */
const REST_MS = 30 * 60_000;

const keeping = proxyActivities<KeepingActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/**
 * An integration's trouble with removals. While some fail, one of them is tried every ten seconds; once one succeeds, all that
 * wait are nudged. When leases are stuck people are told once, and once more when none is; in between only if many join a
 * trouble that had settled.
 */
export async function incident(input: IncidentInput): Promise<OpenIncident> {
  const { integration } = input;
  let reports = 0;
  /** Reports that had come when it was last looked how many leases are stuck. */
  let answered = 0;
  let open = input.open ?? begin();
  const outbox = createOutbox(input.unsent ?? []);
  const work = new CancellationScope();
  const progress = { over: false, telling: false };

  setHandler(
    report,
    () => {
      reports += 1;
    },
    { description: 'Tells of one more removal that fails. Used by workers, not by hand.' },
  );

  const change = (known: Partial<OpenIncident>): void => {
    open = { ...open, ...known };
    setCurrentDetails(incidentDetails(integration, open));
  };

  const keep = (event: RecordedEvent, details: RecordInput['details']): void => {
    outbox.add({ record: { ...NO_LEASE, id: `${open.id}/${event}`, event, integration, details } });
  };

  const look = async (): Promise<Survey> => {
    const seen = reports;
    const survey = await insist(() => keeping.survey({ integration }));
    answered = seen;
    return survey;
  };

  const alert = async (survey: Survey): Promise<void> => {
    progress.telling = true;
    const webhooks = await insist(() => keeping.webhooks());
    const at = new Date().toISOString();
    const notice = stuckNotice(integration, open, survey, at);
    for (const webhook of webhooks) outbox.add({ notice: { ...notice, webhook } });
    if (open.alerts === 0) keep('incident_opened', { openedAt: open.openedAt, stuck: survey.stuck });
    change({ alertedAt: at, alerts: open.alerts + 1, stuck: survey.stuck, settled: false });
    progress.telling = false;
  };

  const isTold = (): boolean => open.alerts > 0 || progress.telling;

  /** Whoever is told of a thousand leases in one message must not get a thousand. */
  const judge = async (survey: Survey): Promise<void> => {
    const { stuck } = survey;
    const isNews = isTold() ? open.settled && stuck >= 2 * open.stuck + 5 : stuck > 0;
    if (isNews) await alert(survey);
    else if (open.settled) change({ stuck: Math.min(open.stuck, stuck) });
    else change({ settled: open.alerts > 0 && stuck <= open.stuck, stuck });
  };

  /** As long as nobody has been told, each report may be of a lease that is stuck. */
  const watch = async (): Promise<void> => {
    while (!progress.over && !isTold()) {
      await sleep(GATHER, { summary: 'others may be stuck too' });
      const survey = await look();
      if (!isTold() && survey.stuck > 0) await alert(survey);
      await condition(() => progress.over || isTold() || reports !== answered);
    }
  };

  const recover = async (): Promise<void> => {
    let idleMs = FIRST_PAUSE_MS;
    let calm = 0;
    for (;;) {
      const { outcome } = await probe(integration);
      if (outcome === 'removed') {
        calm = 0;
        await nudge();
        continue;
      }
      const isCalm = outcome !== 'undecided';
      if (isCalm) await sleep(SETTLE, { summary: 'before it is believed that nothing fails any more' });
      const survey = await look();
      await judge(survey);
      calm = isCalm && survey.stuck === 0 && reports === answered ? calm + 1 : 0;
      // Where removals are under way all the time, one that begins to fail may have been missed by one look.
      if (calm > 0 && (outcome === 'quiet' || calm === 2)) return;
      if (!isCalm || calm > 0) continue;
      // What is stuck and not failing waits for something else, a worker that can run its workflow for instance.
      await condition(() => reports !== answered, idleMs, { summary: 'nothing fails, and yet something is stuck' });
      idleMs = Math.min(idleMs * 2, LONGEST_PAUSE_MS);
    }
  };

  /** A provider that comes and goes must not have its leases nudged, and their histories grow, all the time. */
  const nudge = async (): Promise<void> => {
    const rested = open.nudgedAt === null || Date.now() - Date.parse(open.nudgedAt) >= REST_MS;
    change({ nudgeRounds: rested ? 1 : open.nudgeRounds + 1, nudgedAt: new Date().toISOString() });
    await insist(() => nudging(integration).nudgeWaiting({ integration }));
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (open.nudgeRounds - 1), LONGEST_PAUSE_MS);
    await sleep(pauseMs, { summary: 'before the removals are looked at again' });
  };

  change({});
  const working = work.run(async () => {
    const recovering = recover().finally(() => {
      progress.over = true;
    });
    await Promise.all([recovering, watch()]);
    return true;
  });
  const ended = working.catch((error: unknown) => {
    if (isCancellation(error)) return false;
    throw error;
  });
  await Promise.race([ended, condition(() => reports >= MAX_REPORTS || workflowInfo().historyLength >= MAX_EVENTS)]);
  work.cancel();
  if (!(await ended)) {
    const unsent = await outbox.stop();
    await condition(allHandlersFinished);
    return continueAsNew<typeof incident>({ integration, open, unsent });
  }
  if (open.alertedAt !== null) {
    const notice = recoveredNotice(integration, open, new Date().toISOString());
    for (const webhook of await insist(() => keeping.webhooks())) outbox.add({ notice: { ...notice, webhook } });
    keep('incident_closed', { openedAt: open.openedAt, alerts: open.alerts });
  }
  // What is reported after the last look belongs to another incident.
  const isNew = (): boolean => reports !== answered;
  await outbox.empty(isNew);
  await condition(allHandlersFinished);
  if (isNew()) return continueAsNew<typeof incident>({ integration, unsent: await outbox.stop() });
  return open;
}

function begin(): OpenIncident {
  return {
    id: workflowInfo().runId,
    openedAt: new Date().toISOString(),
    alertedAt: null,
    alerts: 0,
    stuck: 0,
    settled: false,
    nudgeRounds: 0,
    nudgedAt: null,
  };
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

/** Every so often it ends undecided, so that what no worker serves any more, and what no lease reports, is looked at too. */
async function probe(integration: string): Promise<ProbeResult | { readonly outcome: 'undecided' }> {
  try {
    return await probing(integration).probe({ integration, mayWait: true });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { removing } = await insist(() => keeping.survey({ integration }));
    return { outcome: removing === 0 ? 'quiet' : 'undecided' };
  }
}

function probing(integration: string): UpkeepActivities {
  return proxyActivities<UpkeepActivities>({
    taskQueue: upkeepQueue(integration),
    scheduleToCloseTimeout: '10m',
    startToCloseTimeout: '5m',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '10s', backoffCoefficient: 1 },
    summary: `try one of the removals of ${integration}`,
  });
}

function nudging(integration: string): UpkeepActivities {
  return proxyActivities<UpkeepActivities>({
    taskQueue: upkeepQueue(integration),
    startToCloseTimeout: '1h',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '1m' },
    summary: `nudge all waiting removals of ${integration}`,
  });
}
