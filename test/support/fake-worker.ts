import { Context } from '@temporalio/activity';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { ApplicationFailure } from '@temporalio/common';
import { seal } from '../../sealing/seal';
import { deprovisionQueue, provisionQueue, WORKFLOW_QUEUE } from '../../workflows/contract';
import { provided } from './stack';
import type {
  DeprovisionActivities,
  KeepingActivities,
  PlanningActivities,
  Provisioned,
  ProvisionActivities,
  ProvisionInput,
} from '../../workflows/contract';

/** Real lease workflows whose provider is a list in memory. */
export interface FakeWorker {
  /** Lease ids of what exists at the provider. */
  readonly existing: ReadonlySet<string>;
  /** How often something was made for a lease. */
  made(leaseId: string): number;
  /** Runs instead of the next provisions, until it is taken away. */
  setProvision(
    provision: ((input: ProvisionInput, usual: () => Promise<Provisioned>) => Promise<Provisioned>) | null,
  ): void;
  /** When each attempt to remove what a lease made was begun, in milliseconds since 1970 by Temporal's clock. */
  removals(leaseId: string): readonly number[];
  /** Runs before each removal, until it is taken away. */
  setDeprovision(before: ((leaseId: string) => Promise<void>) | null): void;
  stop(): Promise<void>;
}

export const FAKE_CREDENTIAL = { ACCESS_KEY_ID: 'AKIAFAKE', SECRET_ACCESS_KEY: 'canary-of-the-fake-worker' };

/** The integration whose queues are served. */
export const INTEGRATION = 'fake';
const TIMINGS = {
  issueTimeoutMs: 20_000,
  attemptTimeoutMs: 10_000,
  heartbeatTimeoutMs: 10_000,
  consistencyWindowMs: 0,
  stuckAfterMs: 60_000,
};

export interface FakeWorkerOptions {
  /** Default: any lease is planned, and none extended to more than an hour from now. */
  readonly planning?: PlanningActivities;
  /** Default: what was made is struck from the list. */
  readonly deprovisioning?: DeprovisionActivities;
}

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
});

export async function startFakeWorker(
  address: string,
  namespace: string,
  options: FakeWorkerOptions = {},
): Promise<FakeWorker> {
  const connection = await NativeConnection.connect({ address });
  const existing = new Set<string>();
  const made = new Map<string, number>();
  const removals = new Map<string, number[]>();
  let provision: Parameters<FakeWorker['setProvision']>[0] = null;
  let beforeDeprovision: Parameters<FakeWorker['setDeprovision']>[0] = null;

  const usual = async (input: ProvisionInput): Promise<Provisioned> => {
    existing.add(input.leaseId);
    made.set(input.leaseId, (made.get(input.leaseId) ?? 0) + 1);
    const sealed = await seal(FAKE_CREDENTIAL, input.recipient, input.leaseId);
    return { sealed, usableAt: null, facts: { arn: 'arn:fake' }, notes: [] };
  };
  const planning: PlanningActivities = {
    plan: async ({ leaseId, input }) => ({
      integration: INTEGRATION,
      kind: 'fake entity',
      entity: `fake-${leaseId}`,
      handle: {},
      ttlMs: input.ttlMs ?? 60_000,
      timings: TIMINGS,
    }),
    planExtension: async ({ ttlMs }) => {
      if (ttlMs > 3_600_000) {
        throw ApplicationFailure.create({ type: 'InvalidTtl', message: 'At most 1h is allowed.', nonRetryable: true });
      }
    },
  };
  const provisioning: ProvisionActivities = {
    provision: (input) => (provision === null ? usual(input) : provision(input, () => usual(input))),
  };
  const deprovisioning: DeprovisionActivities = {
    deprovision: async ({ leaseId }) => {
      const begun = Context.current().info.currentAttemptScheduledTimestampMs;
      removals.set(leaseId, [...(removals.get(leaseId) ?? []), begun]);
      await beforeDeprovision?.(leaseId);
      existing.delete(leaseId);
    },
    extend: async () => undefined,
  };
  const keeping: Omit<KeepingActivities, 'placeBlock' | 'revokeMatching'> = {
    record: async () => undefined,
    reportStuck: async () => null,
    survey: async () => ({ stuck: 0, removing: 0, example: null }),
    webhooks: async () => [],
    notify: async () => undefined,
  };
  const common = { connection, namespace };
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue: WORKFLOW_QUEUE,
      workflowBundle: { codePath: provided().workflowBundle },
      activities: { ...(options.planning ?? planning), ...keeping },
    }),
    Worker.create({ ...common, taskQueue: provisionQueue(INTEGRATION), activities: provisioning }),
    Worker.create({
      ...common,
      taskQueue: deprovisionQueue(INTEGRATION),
      activities: options.deprovisioning ?? deprovisioning,
    }),
  ]);
  const runs = Promise.all(workers.map((worker) => worker.run()));
  return {
    existing,
    made: (leaseId) => made.get(leaseId) ?? 0,
    removals: (leaseId) => removals.get(leaseId) ?? [],
    setProvision: (replacement) => {
      provision = replacement;
    },
    setDeprovision: (before) => {
      beforeDeprovision = before;
    },
    stop: async () => {
      for (const worker of workers) worker.shutdown();
      await runs;
      await connection.close();
    },
  };
}
