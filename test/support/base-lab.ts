import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { connectLeases } from '../../client/temporal';
import type { ConnectedLeases } from '../../client/temporal';
import type { LeaseOutcome, LeaseState, LeaseView } from '../../workflows/contract';
import { ATTRIBUTES, lease as leaseQuery } from '../../workflows/contract';
import { createNamespace } from './namespace';
import { provided } from './stack';
import { startWorkerProcess } from './worker-process';
import type { WorkerProcess } from './worker-process';

/** A configuration file before it is written. */
export type ConfigFile = Readonly<Record<string, unknown>>;

/** A namespace of its own and worker processes on a configuration file: what a test of leases needs, whatever the provider. */
export interface BaseLab {
  readonly address: string;
  readonly namespace: string;
  readonly directory: string;
  readonly configFile: string;
  /** What a program needs in its environment to work with this lab. */
  readonly environment: Readonly<Record<string, string>>;
  readonly client: Client;
  readonly leases: ConnectedLeases;
  /** Starts a worker on this lab's configuration and waits until it works. */
  startWorker(flags?: readonly string[], environment?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
  /** Writes the configuration file anew. Workers that run are told by SIGHUP, as an operator would. */
  configure(change: (file: ConfigFile) => ConfigFile): Promise<void>;
  /** Logs of all workers so far. */
  logs(): string;
  view(leaseId: string): Promise<LeaseView>;
  /** Waits until the lease's search attribute says one of these states. */
  until(leaseId: string, ...states: LeaseState[]): Promise<void>;
  /** Waits until the failure of the lease's last attempt says this. While the next one is being started, Temporal shows none. */
  untilFailing(leaseId: string, why: string): Promise<void>;
  outcome(leaseId: string): Promise<LeaseOutcome>;
  handle(leaseId: string): WorkflowHandle;
  close(): Promise<void>;
}

export interface BaseLabOptions {
  readonly config: ConfigFile;
  readonly temporal?: { readonly address: string; readonly namespace: string };
  /** Beside where Temporal is: the secrets that the configuration refers to. */
  readonly environment?: Readonly<Record<string, string>>;
}

export async function openBaseLab(options: BaseLabOptions): Promise<BaseLab> {
  const { temporal, directory: base } = provided();
  const address = options.temporal?.address ?? temporal.address;
  const connection = await Connection.connect({ address });
  const namespace = options.temporal?.namespace ?? (await createNamespace(connection));
  const client = new Client({ connection, namespace });
  const directory = join(base, `lab-${randomUUID()}`);
  await mkdir(directory);
  const configFile = join(directory, 'leasehold.yaml');
  await writeFile(configFile, JSON.stringify(options.config));
  const environment = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, ...options.environment };
  const leases = await connectLeases({ connection, namespace });
  const workers: WorkerProcess[] = [];
  const handle = (leaseId: string): WorkflowHandle => client.workflow.getHandle(leaseId);

  return {
    address,
    namespace,
    directory,
    configFile,
    environment,
    client,
    leases,
    handle,
    startWorker: async (flags = [], own = {}) => {
      const worker = await startWorkerProcess(['--config', configFile, ...flags], { ...environment, ...own });
      workers.push(worker);
      return worker;
    },
    configure: async (change) => {
      const file = JSON.parse(await readFile(configFile, 'utf8')) as ConfigFile;
      await writeFile(configFile, JSON.stringify(change(file)));
      for (const worker of workers) worker.signal('SIGHUP');
    },
    logs: () => workers.map((worker) => worker.output()).join('\n'),
    view: (leaseId) => handle(leaseId).query(leaseQuery),
    outcome: (leaseId) => handle(leaseId).result() as Promise<LeaseOutcome>,
    until: async (leaseId, ...states) => {
      await eventually(
        async () => {
          const { typedSearchAttributes } = await handle(leaseId).describe();
          return states.includes(typedSearchAttributes.get(ATTRIBUTES.state) as LeaseState);
        },
        `lease ${leaseId} to be ${states.join(' or ')}`,
      );
    },
    untilFailing: async (leaseId, why) => {
      await eventually(async () => {
        const { raw } = await handle(leaseId).describe();
        return raw.pendingActivities?.[0]?.lastFailure?.message?.includes(why) ?? false;
      }, `lease ${leaseId} to say: ${why}`);
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await leases.close();
      await connection.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Asks again and again until it is so; fails after twenty seconds, far more than anything here takes. */
export async function eventually(ask: () => Promise<boolean>, what: string, withinMs = 20_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await pause(50);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** As `sweep` of an integration: the schedule, which goes by the clock, begins none while a test counts its own. */
export const NO_SCHEDULED_SWEEP = { every: '7d' };

/** As `timings` of an integration, short enough for tests. */
export const QUICK_TIMINGS = {
  issue_timeout: '1m',
  attempt_timeout: '15s',
  heartbeat_timeout: '3s',
  consistency_window: '2s',
  stuck_after: '2s',
};
