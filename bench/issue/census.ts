import { Client, Connection } from '@temporalio/client';
import type { ConnectionOptions, WorkflowHandle } from '@temporalio/client';
import { connectLeases } from '../../client/temporal';
import type { ConnectedLeases } from '../../client/temporal';
import { randomLeaseId } from '../../client/lease-id';
import { makePair } from '../../client/pair';
import { pause } from '../../client/bounds';
import { findPort } from '../../dev/ports';
import { thumbprint } from '../../sealing/recipient';
import { LEASE_WORKFLOW, WORKFLOW_QUEUE, WORKFLOW_TASK_TIMEOUT_MS } from '../../workflows/contract';
import type { LeaseInput, LeaseOutcome } from '../../workflows/contract';
import { startDeployment } from '../deployment';
import type { Deployment, DeploymentOptions } from '../deployment';
import { describeStart } from '../described';
import { withOpened } from '../opened';
import { median } from '../statistics';
import type { Table } from '../table';
import { contentsOf, momentsOf } from './moments';
import type { Contents } from './moments';
import { parseCalls, perTurn, withReading } from './calls';
import type { Calls } from './calls';

export interface CensusOptions extends Omit<DeploymentOptions, 'workerEnvironment'> {
  /** Leases of each kind. */
  readonly samples: number;
  readonly signal: AbortSignal;
}

/** What a lease leaves behind in Temporal, and how often Temporal is called for it. */
export interface Census {
  readonly kinds: readonly Kind[];
  /** Of one issue and of one revoke. */
  readonly calls: readonly {
    readonly what: string;
    readonly client: Calls;
    /** Of the worker; its waiting for work is not among them. */
    readonly worker: Calls;
  }[];
}

export interface Kind {
  readonly name: string;
  /** Medians over the leases of this kind. */
  readonly contents: Contents;
  readonly bytes: number;
  /** Of the lease that has the most. */
  readonly most: { readonly events: number; readonly bytes: number };
}

/** Targets of any lease from start to end. */
const MOST_EVENTS = 32;
const MOST_KB = 6;
const SHORT_TTL_MS = 1_000;
const HOLDER = 'bench';
const STARTED_WITHIN_MS = 30_000;
/** More than a lease of a second takes from its start to its end. */
const ENDED_WITHIN_MS = 60_000;

/** In a deployment of its own, whose worker tells its metrics: that takes time, and nothing is timed here. */
export async function takeCensus({ samples, signal, ...options }: CensusOptions): Promise<Census> {
  return withOpened(async (open) => {
    const metrics = `127.0.0.1:${await findPort()}`;
    const workerEnvironment = { LEASEHOLD_METRICS: metrics };
    const deployment = await open(startDeployment({ ...options, workerEnvironment }), (opened) => opened.stop());
    const { address, namespace } = deployment.temporal;
    const calls = new Map<string, number>();
    const connection = await open(Connection.connect({ address, interceptors: [countInto(calls)] }), (opened) =>
      opened.close(),
    );
    const leases = await connectLeases({ connection, namespace });
    const client = new Client({ connection, namespace });
    const lab: Lab = { deployment, leases, client, samples, signal };
    const kinds: Kind[] = [];
    for (const [name, live] of Object.entries(LIVES)) kinds.push(await observe(lab, name, live));
    return { kinds, calls: await countCalls(lab, calls, metrics) };
  });
}

interface Lab {
  readonly deployment: Deployment;
  readonly leases: ConnectedLeases;
  readonly client: Client;
  readonly samples: number;
  readonly signal: AbortSignal;
}

/** Lives one lease from its start to its end, and answers its id. */
type Live = (lab: Lab) => Promise<string>;

const LIVES: Readonly<Record<string, Live>> = {
  'delivered, revoked': async ({ leases, deployment }) => {
    const lease = await leases.issue({ ...deployment.what, holder: HOLDER });
    await lease.revoke({ wait: true });
    return lease.leaseId;
  },
  'delivered, expired': async ({ leases, deployment }) => {
    const lease = await leases.issue({ ...deployment.what, holder: HOLDER, ttl: SHORT_TTL_MS / 1_000 });
    return lease.leaseId;
  },
  'delivered, extended once, revoked': async ({ leases, deployment }) => {
    const lease = await leases.issue({ ...deployment.what, holder: HOLDER });
    await lease.extend('20m');
    await lease.revoke({ wait: true });
    return lease.leaseId;
  },
  'not delivered, revoked': async (lab) => {
    const leaseId = await startUndelivered(lab, null);
    const until = Date.now() + STARTED_WITHIN_MS;
    while ((await lab.leases.get(leaseId)).state !== 'active') {
      if (Date.now() > until) throw new Error(`Lease ${leaseId} does not become active.`);
      await pause(20);
    }
    await lab.leases.revoke(leaseId, { wait: true });
    return leaseId;
  },
  'not delivered, expired': (lab) => startUndelivered(lab, SHORT_TTL_MS),
};

/** As the library starts one, but nobody claims its credential. */
async function startUndelivered({ client, deployment }: Lab, ttlMs: number | null): Promise<string> {
  const leaseId = randomLeaseId();
  const { publicJwk: recipient } = await makePair();
  const input: LeaseInput = {
    ...deployment.what,
    ttlMs,
    holder: `library:${HOLDER}`,
    recipient,
    thumbprint: await thumbprint(recipient),
  };
  await client.workflow.start(LEASE_WORKFLOW, {
    workflowId: leaseId,
    taskQueue: WORKFLOW_QUEUE,
    args: [input],
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
    ...describeStart(leaseId, deployment.temporal.namespace, input),
  });
  return leaseId;
}

/** Waits for its end, but not for ever, and not once somebody has asked to end. */
async function outcomeOf({ client, signal }: Lab, handle: WorkflowHandle): Promise<LeaseOutcome> {
  const result = (): Promise<unknown> => handle.result();
  return (await client.withAbortSignal(signal, () =>
    client.withDeadline(Date.now() + ENDED_WITHIN_MS, result),
  )) as LeaseOutcome;
}

async function observe(lab: Lab, name: string, live: Live): Promise<Kind> {
  const seen: { readonly contents: Contents; readonly bytes: number }[] = [];
  for (let sample = 0; sample < lab.samples; sample += 1) {
    lab.signal.throwIfAborted();
    const handle = lab.client.workflow.getHandle(await live(lab));
    const { state, delivered } = await outcomeOf(lab, handle);
    const told = `${delivered ? '' : 'not '}delivered, ${state}`;
    if (told !== name.replace('extended once, ', '')) {
      throw new Error(`Lease ${handle.workflowId} was to be "${name}" and is "${told}".`);
    }
    const { historySize } = await handle.describe();
    if (historySize === undefined) throw new Error('Temporal does not tell the size of histories.');
    seen.push({ contents: contentsOf(momentsOf(await handle.fetchHistory())), bytes: historySize });
  }
  const most = (of: (one: (typeof seen)[number]) => number): number => Math.max(...seen.map(of));
  const of = (name: keyof Contents): number => median(seen.map(({ contents }) => contents[name]));
  return {
    name,
    contents: {
      events: of('events'),
      workflowTasks: of('workflowTasks'),
      activities: of('activities'),
      localActivities: of('localActivities'),
      upserts: of('upserts'),
      timers: of('timers'),
      signals: of('signals'),
      updates: of('updates'),
    },
    bytes: median(seen.map(({ bytes }) => bytes)),
    most: { events: most(({ contents }) => contents.events), bytes: most(({ bytes }) => bytes) },
  };
}

async function countCalls(lab: Lab, client: Map<string, number>, metrics: string): Promise<Census['calls']> {
  const { leases, deployment, samples, signal } = lab;
  const readWorker = async (): Promise<Calls> => parseCalls(await (await fetch(`http://${metrics}/metrics`)).text());
  const counted = async (what: string, act: (sample: number) => Promise<void>) => {
    const idle = await readWorker();
    const before = { client: new Map(client), worker: await readWorker() };
    for (let sample = 0; sample < samples; sample += 1) {
      signal.throwIfAborted();
      await act(sample);
    }
    return {
      what,
      client: perTurn(before.client, client, samples),
      worker: perTurn(withReading(idle, before.worker), await readWorker(), samples),
    };
  };
  const issued: string[] = [];
  const issue = await counted('issue', async () => {
    issued.push((await leases.issue({ ...deployment.what, holder: HOLDER })).leaseId);
  });
  const revoke = await counted('revoke, waiting', async (sample) => {
    await leases.revoke(issued[sample] ?? '', { wait: true });
  });
  return [issue, revoke];
}

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

/** Counts the calls of a connection by their names. */
function countInto(calls: Map<string, number>): Interceptor {
  return (options, next) => {
    const name = options.method_definition.path.split('/').at(-1) ?? '';
    calls.set(name, (calls.get(name) ?? 0) + 1);
    // Typed as the class, of which it has all that is asked for.
    const call: unknown = next(options);
    return call as ReturnType<Interceptor>;
  };
}

export function censusTables({ kinds, calls }: Census): readonly Table[] {
  const list = (of: Calls): string =>
    [...of]
      .filter(([, count]) => count >= 0.05)
      .map(([name, count]) => `${Number(count.toFixed(1))} ${name}`)
      .join(', ');
  const sum = (of: Calls): string => [...of.values()].reduce((total, count) => total + count, 0).toFixed(1);
  return [
    {
      title: `What a lease leaves in its history, from start to end: medians, and the most against the target of ${MOST_EVENTS} events and ${MOST_KB} KB`,
      head: [
        'Lease',
        'Events',
        'Most',
        'Bytes',
        'Most',
        'Within the target',
        'Workflow tasks',
        'Activities',
        'Local activities',
        'Upserts',
        'Timers',
        'Signals',
        'Updates',
      ],
      rows: kinds.map(({ name, contents, bytes, most }) => [
        name,
        String(contents.events),
        String(most.events),
        String(bytes),
        String(most.bytes),
        isWithin(most) ? 'yes' : 'no',
        String(contents.workflowTasks),
        String(contents.activities),
        String(contents.localActivities),
        String(contents.upserts),
        String(contents.timers),
        String(contents.signals),
        String(contents.updates),
      ]),
    },
    {
      title: 'Calls to Temporal (without those that wait for work)',
      head: ['What', 'By the client', 'Which', 'By the worker', 'Which of them'],
      rows: calls.map(({ what, client, worker }) => [what, sum(client), list(client), sum(worker), list(worker)]),
    },
  ];
}

/** Whether none of the leases has more. */
function isWithin({ events, bytes }: Kind['most']): boolean {
  return events <= MOST_EVENTS && bytes <= MOST_KB * 1_024;
}
