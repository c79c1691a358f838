import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { connectLeases } from '../../client/temporal';
import type { ConnectedLeases } from '../../client/temporal';
import type { LeaseOutcome, LeaseState, LeaseView } from '../../workflows/contract';
import { ATTRIBUTES, lease as leaseQuery } from '../../workflows/contract';
import { openAwsAdmin } from './aws-admin';
import type { AwsAdmin } from './aws-admin';
import { startAwsProxy } from './aws-proxy';
import type { AwsProxy } from './aws-proxy';
import { createNamespace } from './namespace';
import { provided } from './stack';
import { startWorkerProcess } from './worker-process';
import type { WorkerProcess } from './worker-process';

/** A namespace of its own, an AWS behind a strict proxy, and a worker process: all that a test of leases needs. */
export interface Lab {
  readonly address: string;
  readonly namespace: string;
  readonly directory: string;
  readonly configFile: string;
  /** What a program needs in its environment to work with this lab. */
  readonly environment: Readonly<Record<string, string>>;
  readonly client: Client;
  readonly leases: ConnectedLeases;
  readonly proxy: AwsProxy;
  readonly aws: AwsAdmin;
  /** Starts a worker on this lab's configuration and waits until it works. */
  startWorker(flags?: readonly string[], environment?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
  /** Logs of all workers so far. */
  logs(): string;
  view(leaseId: string): Promise<LeaseView>;
  /** Waits until the lease's search attribute says one of these states. */
  until(leaseId: string, ...states: LeaseState[]): Promise<void>;
  outcome(leaseId: string): Promise<LeaseOutcome>;
  handle(leaseId: string): WorkflowHandle;
  close(): Promise<void>;
}

export interface LabOptions {
  /** Text that every error answer of the provider repeats. */
  readonly echo?: string;
  readonly temporal?: { readonly address: string; readonly namespace: string };
  readonly timings?: Readonly<Record<string, string>>;
  /** Of the integration, beside the lab's own. */
  readonly limits?: Readonly<Record<string, number>>;
  /** Of the dynamic secret, beside the lab's own. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** More for the connection of the integration. */
  readonly connection?: Readonly<Record<string, string>>;
  readonly sweep?: Readonly<Record<string, string>>;
  readonly alerts?: Readonly<Record<string, unknown>>;
  /** Static secrets of the config. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Other top-level parts of the file, e.g. who may use the API. */
  readonly file?: Readonly<Record<string, unknown>>;
}

/** What is leased in a lab. */
export const REQUEST = { project: 'backend', config: 'prd', dynamicSecret: 'S3_READER', holder: 'tester' } as const;

export async function openLab(options: LabOptions = {}): Promise<Lab> {
  const { temporal, aws, directory: base } = provided();
  const address = options.temporal?.address ?? temporal.address;
  const connection = await Connection.connect({ address });
  const namespace = options.temporal?.namespace ?? (await createNamespace(connection));
  const client = new Client({ connection, namespace });
  const proxy = await startAwsProxy({ target: aws.url, ...(options.echo === undefined ? {} : { echo: options.echo }) });
  const directory = join(base, `lab-${randomUUID()}`);
  await mkdir(directory);
  const configFile = join(directory, 'leasehold.yaml');
  await writeFile(configFile, configText(proxy.url, options));
  const environment = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    LAB_KEY_ID: aws.accessKeyId,
    LAB_KEY: aws.secretAccessKey,
    ...options.environment,
  };
  const leases = await connectLeases({ connection, namespace });
  const admin = openAwsAdmin(aws);
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
    proxy,
    aws: admin,
    handle,
    startWorker: async (flags = [], own = {}) => {
      const worker = await startWorkerProcess(['--config', configFile, ...flags], { ...environment, ...own });
      workers.push(worker);
      return worker;
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
    close: async () => {
      proxy.clearFaults();
      proxy.setOnCall(undefined);
      await Promise.all(workers.map((worker) => worker.stop()));
      await leases.close();
      admin.close();
      await proxy.close();
      await connection.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * A lab for all tests of a file: opened before the first, which `start` makes use of, and closed after the last. What one
 * test did to the provider is undone before the next.
 */
export function useLab(start: (lab: Lab) => Promise<void>, options?: LabOptions): void {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab(options);
    await start(lab);
  }, 60_000);
  afterAll(() => lab.close());
  afterEach(() => {
    lab.proxy.clearFaults();
    lab.proxy.setOnCall(undefined);
  });
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

function configText(endpoint: string, options: LabOptions): string {
  const { timings, limits, parameters, connection, sweep, alerts, secrets, file } = options;
  const allTimings = {
    issue_timeout: '1m',
    attempt_timeout: '15s',
    heartbeat_timeout: '3s',
    consistency_window: '2s',
    stuck_after: '2s',
    ...timings,
  };
  return JSON.stringify({
    version: 1,
    ...file,
    integrations: {
      aws: {
        type: 'aws_iam',
        connection: {
          region: 'us-east-1',
          endpoint,
          credentials: { access_key_id: 'env:LAB_KEY_ID', secret_access_key: 'env:LAB_KEY' },
          ...connection,
        },
        limits: { calls_per_second: 100, provisions: 20, deprovisions: 20, ...limits },
        timings: allTimings,
        ...(sweep === undefined ? {} : { sweep }),
      },
    },
    ...(alerts === undefined ? {} : { alerts }),
    projects: {
      backend: {
        configs: {
          prd: {
            ...(secrets === undefined ? {} : { secrets }),
            dynamic_secrets: {
              S3_READER: {
                integration: 'aws',
                min_ttl: '1s',
                max_ttl: '1h',
                parameters: {
                  policy: {
                    Version: '2012-10-17',
                    Statement: [{ Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' }],
                  },
                  usable_timeout: '5s',
                  ...parameters,
                },
              },
            },
          },
        },
      },
    },
  });
}
