import { Client, Connection } from '@temporalio/client';
import type { WorkflowBundleOption } from '@temporalio/worker';
import type { WorkflowHandle } from '@temporalio/client';
import { AuditError } from '../../audit/writer';
import type { AuditRecord, AuditWriter } from '../../audit/writer';
import { connectLeases } from '../../client/temporal';
import type { ConnectedLeases } from '../../client/temporal';
import type { WorkerVersion } from '../../config/environment';
import { parseConfig } from '../../config/load';
import type { Config } from '../../config/load';
import { createLogger } from '../../telemetry/logger';
import { createMetrics } from '../../telemetry/metrics';
import type { Metrics } from '../../telemetry/metrics';
import { deploymentId } from '../../temporal/deployment';
import { createWorker } from '../../worker/worker';
import type { Share } from '../../worker/worker';
import type { LeaseOutcome } from '../../workflows/contract';
import { eventually, NO_SCHEDULED_SWEEP } from './base-lab';
import { createMemoryProvider } from './memory-provider';
import type { MemoryProvider } from './memory-provider';
import { createNamespace } from './namespace';
import { installQuietRuntime } from './quiet-runtime';
import { provided } from './stack';

/** A namespace of its own and the real worker in this process, whose provider is a map in memory. */
export interface MemoryLab {
  readonly address: string;
  readonly namespace: string;
  readonly deployment: string;
  readonly connection: Connection;
  readonly client: Client;
  readonly leases: ConnectedLeases;
  readonly provider: MemoryProvider;
  readonly metrics: Metrics;
  /** Audit lines of all workers so far, as they were given. */
  readonly audit: AuditRecord[];
  /** Writes them. */
  readonly writer: AuditWriter;
  /** The lab's configuration, with what differs. */
  parse(config?: MemoryConfig): Config;
  /** From now on, whether no audit line can be written. */
  breakAudit(isBroken: boolean): void;
  /** Events of one lease, without the repeats that there may be. */
  events(leaseId: string): string[];
  /** Starts a worker, by the lab's own configuration unless another is given; to be stopped by the test or with the lab. */
  startWorker(options?: WorkerChoices): Promise<RunningWorker>;
  handle(id: string): WorkflowHandle;
  outcome(leaseId: string): Promise<LeaseOutcome>;
  close(): Promise<void>;
}

export interface WorkerChoices {
  readonly config?: MemoryConfig;
  readonly share?: Share;
  readonly version?: WorkerVersion;
  readonly workflowBundle?: WorkflowBundleOption;
}

export interface RunningWorker {
  stop(): Promise<void>;
}

/** What differs from one test to the other. */
export interface MemoryConfig {
  readonly integration?: Readonly<Record<string, unknown>>;
  readonly dynamicSecret?: Readonly<Record<string, unknown>>;
  readonly alerts?: Readonly<Record<string, unknown>>;
  /** Null: the integration has left the configuration, and with it its dynamic secret. */
  readonly name?: string | null;
  /** More of the config `backend/prd`, as in the configuration file. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly dynamicSecrets?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** More integrations and projects, as in the configuration file. */
  readonly integrations?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly projects?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Other top-level parts of the file, e.g. who may use the API. */
  readonly file?: Readonly<Record<string, unknown>>;
}

export const MEMORY_REQUEST = { project: 'backend', config: 'prd', dynamicSecret: 'TOKEN', holder: 'tester' } as const;

/** @param address a Temporal server of the test's own; absent: the one that all share. */
export async function openMemoryLab(
  base: MemoryConfig = {},
  address = provided().temporal.address,
): Promise<MemoryLab> {
  installQuietRuntime();
  const connection = await Connection.connect({ address });
  const namespace = await createNamespace(connection);
  const client = new Client({ connection, namespace });
  const leases = await connectLeases({ connection, namespace });
  const provider = createMemoryProvider();
  const metrics = createMetrics();
  const audit: AuditRecord[] = [];
  const running = new Set<RunningWorker>();
  let isAuditBroken = false;
  const parse = (config: MemoryConfig = {}): Config =>
    parseConfig(configText({ ...base, ...config }), { memory: provider.type }, 'test');
  const writer: AuditWriter = {
    write: async (record) => {
      if (isAuditBroken) throw new AuditError('The audit file cannot be written: its file system is full.');
      audit.push(record);
    },
    close: async () => undefined,
  };

  return {
    address,
    namespace,
    deployment: await deploymentId(connection, namespace),
    connection,
    client,
    leases,
    provider,
    metrics,
    audit,
    writer,
    parse,
    breakAudit: (isBroken) => {
      isAuditBroken = isBroken;
    },
    events: (leaseId) => {
      const lines = new Map(audit.filter((line) => line.leaseId === leaseId).map((line) => [line.id, line.event]));
      return [...lines.values()];
    },
    handle: (id) => client.workflow.getHandle(id),
    outcome: (leaseId) => client.workflow.getHandle(leaseId).result() as Promise<LeaseOutcome>,
    startWorker: async ({
      config = {},
      share = { workflows: true, integrations: null },
      version = null,
      workflowBundle,
    } = {}) => {
      const worker = await createWorker({
        connection: { address },
        namespace,
        config: parse(config),
        types: { memory: provider.type },
        share,
        workflowBundle: workflowBundle ?? { codePath: provided().workflowBundle },
        identity: 'memory-lab',
        version,
        audit: writer,
        metrics,
        logger: createLogger('silent'),
      });
      const run = worker.run();
      const handle = {
        stop: async () => {
          if (!running.delete(handle)) return;
          worker.shutdown();
          await run;
        },
      };
      running.add(handle);
      return handle;
    },
    close: async () => {
      provider.heal();
      await Promise.all([...running].map((worker) => worker.stop()));
      await leases.close();
      await connection.close();
    },
  };
}

/** Waits until the lab's audit log has a line that is so. */
export async function untilAudit(
  lab: MemoryLab,
  what: string,
  isIt: (line: AuditRecord) => boolean,
  withinMs?: number,
): Promise<AuditRecord> {
  await eventually(async () => lab.audit.some(isIt), `an audit line: ${what}`, withinMs);
  return lab.audit.find(isIt)!;
}

function configText(base: MemoryConfig): string {
  const {
    integration = {},
    dynamicSecret = {},
    alerts,
    name = 'memory',
    secrets = {},
    dynamicSecrets = {},
    integrations = {},
    projects = {},
    file,
  } = base;
  const timings = {
    issue_timeout: '20s',
    attempt_timeout: '10s',
    heartbeat_timeout: '5s',
    consistency_window: '0s',
    stuck_after: '2s',
  };
  const limits = { calls_per_second: 1_000, provisions: 50, deprovisions: 50 };
  const sweep = { ...NO_SCHEDULED_SWEEP, grace: '0s', overdue_after: '1s' };
  return JSON.stringify({
    version: 1,
    ...file,
    ...(alerts === undefined ? {} : { alerts }),
    integrations: {
      ...(name === null ? {} : { [name]: { type: 'memory', limits, timings, sweep, ...integration } }),
      ...integrations,
    },
    projects: {
      ...projects,
      backend: {
        configs: {
          prd: {
            secrets,
            dynamic_secrets:
              name === null
                ? {}
                : { TOKEN: { integration: name, min_ttl: '1s', max_ttl: '12h', ...dynamicSecret }, ...dynamicSecrets },
          },
        },
      },
    },
  });
}
