import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { NativeConnectionOptions, WorkerOptions, WorkflowBundleOption } from '@temporalio/worker';
import { createActivities } from '../activities';
import type { Activities } from '../activities';
import type { IntegrationType } from '../activities/integrations/integration';
import { integrationTypes } from '../activities/integrations/registry';
import type { AuditWriter } from '../audit/writer';
import type { WorkerVersion } from '../config/environment';
import type { Config, IntegrationSettings } from '../config/load';
import { manifest } from '../packaging/package';
import type { Logger } from '../telemetry/logger';
import type { Metrics } from '../telemetry/metrics';
import { resumeBlocks } from '../temporal/blocks';
import { connectFailure } from '../temporal/connection';
import { deploymentId } from '../temporal/deployment';
import { surveyQueues } from '../temporal/pollers';
import { checkSearchAttributes } from '../temporal/search-attributes';
import { CALL_TIMEOUT_MS } from '../temporal/service';
import {
  DEPROVISION_ATTEMPT_MS,
  deprovisionQueue,
  provisionQueue,
  upkeepQueue,
  WORKFLOW_QUEUE,
} from '../workflows/contract';
import { findWorkflowBundle } from './bundle';
import { countLeases } from './census';
import { expectedOf } from './expected';
import { findStrays } from './strays';
import { startOversight } from './oversight';
import type { SdkMetrics } from './sdk-metrics';
import { ensureSweeps } from './sweeps';
import { watchVersion } from './version-watch';

/** Which of the work a process takes. */
export interface Share {
  /** Whether it runs the lease workflows. */
  readonly workflows: boolean;
  /** The integrations whose credentials it makes and removes; null: all that are configured. */
  readonly integrations: readonly string[] | null;
}

export interface LeaseWorkerOptions {
  readonly connection: NativeConnectionOptions;
  readonly namespace: string;
  readonly config: Config;
  readonly share: Share;
  readonly identity: string;
  /** Of its workflows; null: they have none, and run wherever Temporal gives them to unversioned workers. */
  readonly version: WorkerVersion | null;
  readonly audit: AuditWriter;
  readonly metrics: Metrics;
  /** Of the process; absent, or null: nobody reads them. */
  readonly sdkMetrics?: SdkMetrics | null;
  readonly logger: Logger;
  readonly workflowBundle?: WorkflowBundleOption;
  /** Default: the registry. */
  readonly types?: Readonly<Record<string, IntegrationType>>;
}

/** One process's share of the work. */
export interface LeaseWorker {
  /** Task queues that are served. */
  readonly queues: readonly string[];
  /** Works until `shutdown` is called or the process is asked to stop; running activities are let finish. */
  run(): Promise<void>;
  shutdown(): void;
}

/** An integration was named that the configuration does not have. */
export class UnknownShare extends Error {
  override readonly name = 'UnknownShare';
}

/** How long running activities may finish after the process was asked to stop. Longer than an attempt to provision. */
const GRACE_MARGIN_MS = 5_000;
/** A cancelled attempt that does not stop is left behind after this; Temporal starts another one elsewhere. */
const FORCE_AFTER_MS = 30_000;
/**
 * Workflow tasks that a process works on at once. Few, so that those of a flood of new leases leave the processor to a removal:
 * with 100 of them it was held up three times as long, and no more leases were issued in a second.
 */
export const WORKFLOW_TASKS = 16;
/** A process that is stopped, not dead, keeps what its open polls are given until it times out: so there are few. */
export const WORKFLOW_POLLS = 4;
const ACTIVITY_POLLS = 2;
/** How long a lease waits for the worker that has it in memory before another one replays it. The default is 10 s. */
export const STICKY_MS = 2_000;
/**
 * How long a workflow may compute without a pause. A process that was frozen in the middle of it, by a paused container or a machine
 * short of CPU, has used this up when it goes on, and Node then ends with a corrupted stack instead of telling anybody. Generous for
 * that reason. The SDK takes the option, whose default is 5 s, without having it in its types.
 */
const ISOLATE = { isolateExecutionTimeout: '60s' };
/** A probe, a round of nudges, a scheduled sweep, two by hand, and two checks. */
const UPKEEP_SLOTS = 7;

/**
 * Connects, checks the namespace and creates a Worker for workflows and three for each integration, so that neither another
 * integration's outage nor a flood of issues can hold up a removal.
 */
export async function createWorker(options: LeaseWorkerOptions): Promise<LeaseWorker> {
  const { config, share, namespace } = options;
  const names = share.integrations ?? Object.keys(config.integrations);
  const unknown = names.filter((name) => config.integrations[name] === undefined);
  if (unknown.length > 0) {
    const known = Object.keys(config.integrations).join(', ') || 'none';
    throw new UnknownShare(
      `--integrations names ${unknown.join(', ')}, which the configuration does not have. It has: ${known}.`,
    );
  }
  const connection = await connect(options);
  let activities: Activities | undefined;
  const workers: Worker[] = [];
  try {
    await checkSearchAttributes(connection, namespace);
    const deployment = await deploymentId(connection, namespace);
    const client = new Client({ connection, namespace });
    const { audit, metrics, logger, types = integrationTypes } = options;
    activities = createActivities({
      config,
      types,
      deployment,
      client,
      namespace,
      identity: options.identity,
      audit,
      metrics,
      logger,
    });
    await loadClients(config, types, names, logger);
    const common = { connection, namespace, identity: options.identity };
    if (share.workflows) {
      workers.push(
        await Worker.create({
          ...common,
          taskQueue: WORKFLOW_QUEUE,
          workflowBundle: options.workflowBundle ?? (await findWorkflowBundle()),
          activities: { ...activities.workflow },
          ...versioned(options.version),
          ...ISOLATE,
          maxConcurrentWorkflowTaskExecutions: WORKFLOW_TASKS,
          workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: WORKFLOW_POLLS },
          stickyQueueScheduleToStartTimeout: STICKY_MS,
          shutdownGraceTime: GRACE_MARGIN_MS,
          shutdownForceTime: GRACE_MARGIN_MS + FORCE_AFTER_MS,
        }),
      );
    }
    for (const name of names) {
      const settings = config.integrations[name];
      if (settings === undefined) continue;
      const { limits, timings } = settings;
      const grace = timings.attemptTimeoutMs + GRACE_MARGIN_MS;
      const provision = {
        ...common,
        ...ACTIVITY_WORKER,
        shutdownGraceTime: grace,
        shutdownForceTime: grace + FORCE_AFTER_MS,
      };
      workers.push(
        await Worker.create({
          ...provision,
          taskQueue: provisionQueue(name),
          activities: { ...activities.provision },
          maxConcurrentActivityTaskExecutions: limits.provisions,
        }),
        await Worker.create({
          ...provision,
          taskQueue: deprovisionQueue(name),
          activities: { ...activities.deprovision },
          maxConcurrentActivityTaskExecutions: removalSlots(limits),
        }),
        await Worker.create({
          ...provision,
          taskQueue: upkeepQueue(name),
          activities: { ...activities.upkeep },
          maxConcurrentActivityTaskExecutions: UPKEEP_SLOTS,
        }),
      );
    }
    const opened = activities;
    const oversight = share.workflows
      ? [
          { what: 'The schedules of the sweeps', once: true, act: () => ensureSweeps(client, config) },
          { what: 'The incidents', once: false, act: () => opened.reopenIncidents() },
          { what: 'Leases without an integration', once: true, act: () => shoutAboutStrays(client, config, logger) },
          { what: 'The blocks', once: false, act: () => resumeBlocks(client) },
          {
            what: 'The version of this worker',
            once: false,
            act: () => watchVersion(client, namespace, options.version, logger),
          },
        ]
      : [];
    return assemble(
      workers,
      () => {
        metrics.expect(expectedOf(config, share.workflows, names));
        options.sdkMetrics?.serve({ workflows: share.workflows, integrations: names });
        if (share.workflows) {
          metrics.onScrape(() => countLeases(client, config, types));
          metrics.onSurvey(() => surveyQueues(client, namespace, config));
        }
        return startOversight(oversight, logger);
      },
      async () => {
        opened.close();
        await connection.close();
      },
    );
  } catch (error) {
    activities?.close();
    // Workers let go of the connection only when they have run.
    await Promise.allSettled(
      workers.map((worker) => {
        const run = worker.run();
        worker.shutdown();
        return run;
      }),
    );
    // Why the rest was not created matters more.
    await connection.close().catch(() => undefined);
    throw error;
  }
}

/** Their leases cannot end, and nobody would know why. */
async function shoutAboutStrays(client: Client, config: Config, logger: Logger): Promise<void> {
  const strays = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () => findStrays(client, config));
  for (const { integration, why, leases } of strays) {
    if (why === 'retired') continue;
    logger.error(
      { integration, leases },
      'The configuration has no such integration any more, but leases of it live. Put the entry back: they cannot end without it.',
    );
  }
}

/**
 * A removal takes about a dozen calls to the provider. With more at once than the rate allows for, each would run out of time and
 * begin anew.
 */
function removalSlots({ callsPerSecond, deprovisions }: IntegrationSettings['limits']): number {
  const callsPerAttempt = (callsPerSecond * DEPROVISION_ATTEMPT_MS) / 1_000;
  return Math.max(1, Math.min(deprovisions, Math.floor(callsPerAttempt / 24)));
}

async function connect({ connection, namespace }: LeaseWorkerOptions): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(connection);
  } catch (error) {
    throw connectFailure(error, connection.address, namespace);
  }
}

/**
 * What stands in history for each task of a workflow. By default it is a checksum of the workflows' code, six times in the history of
 * each lease. So Temporal does not tell two builds of one release apart: who patches one gives its workers versions. The SDK takes it
 * for workers without a version alone, and calls it deprecated for the sake of what else it was once used for.
 */
const BUILD = { buildId: `leasehold@${manifest().version}` };

/**
 * For the worker of workflows alone. Once a version of a queue is current, Temporal gives what waits there to workers of that version
 * and to no others: were the queues of removals versioned too, a removal would wait although a worker that can do it is there.
 */
function versioned(version: WorkerVersion | null): Pick<WorkerOptions, 'workerDeploymentOptions' | 'buildId'> {
  if (version === null) return BUILD;
  return {
    workerDeploymentOptions: {
      useWorkerVersioning: true,
      version: { deploymentName: version.deployment, buildId: version.build },
      // A lease lasts longer than a version of the workers: each of its steps is taken by the one that is current then. Not by
      // setWorkflowOptions, with which a worker without a version fails every task.
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  };
}

/** Heartbeats are let through, so that a cancel or a lost attempt is noticed well before the heartbeat time-out. */
export const ACTIVITY_WORKER: Pick<
  WorkerOptions,
  'maxHeartbeatThrottleInterval' | 'defaultHeartbeatThrottleInterval' | 'activityTaskPollerBehavior'
> = {
  activityTaskPollerBehavior: { type: 'simple-maximum', maximum: ACTIVITY_POLLS },
  maxHeartbeatThrottleInterval: '2s',
  defaultHeartbeatThrottleInterval: '2s',
};

function assemble(
  workers: readonly Worker[],
  oversee: () => { stop(): Promise<void> },
  close: () => Promise<void>,
): LeaseWorker {
  const shutdown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    queues: workers.map((worker) => worker.options.taskQueue),
    shutdown,
    run: async () => {
      const oversight = oversee();
      const runs = workers.map((worker) =>
        worker.run().catch((error: unknown) => {
          shutdown();
          throw error;
        }),
      );
      try {
        await Promise.allSettled(runs);
        await Promise.all(runs);
      } finally {
        await oversight.stop();
        await close();
      }
    },
  };
}

/** Ahead of the first lease. An integration whose client is not there keeps no other from working: its own leases are refused. */
async function loadClients(
  config: Config,
  types: Readonly<Record<string, IntegrationType>>,
  names: readonly string[],
  logger: Logger,
): Promise<void> {
  for (const name of names) {
    try {
      await types[config.integrations[name]?.type ?? '']?.load?.();
    } catch (error) {
      logger.error({ error, integration: name }, 'The client of the provider cannot be loaded.');
    }
  }
}
