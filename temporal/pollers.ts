import type { Client } from '@temporalio/client';
import type { Config } from '../config/load';
import { deprovisionQueue, provisionQueue, upkeepQueue, WORKFLOW_QUEUE } from '../workflows/contract';
import { CALL_TIMEOUT_MS } from './service';
import type { TemporalService } from './service';
import { instantOf } from './timestamp';
import { absent, commandFor, idle, nameOf, readRouting } from './versions';
import type { Routing } from './versions';

/** Who works on a configuration's task queues, as Temporal saw it lately. */
export interface Workforce {
  readonly queues: readonly Queue[];
  /** Worker processes that run another configuration. */
  readonly others: readonly OtherConfig[];
}

export interface Queue {
  readonly name: string;
  /** Whether workers that get its work asked for it lately. */
  readonly served: boolean;
  /** To whom its work goes, if it has versions. */
  readonly routing: Routing;
}

export interface OtherConfig {
  /** `leasehold-worker/<pid>@<host>`. */
  readonly process: string;
  /** Hash of its configuration. */
  readonly config: string;
}

/** A worker that waits for work asks anew every minute. */
const LATELY_MS = 90_000;
/** So that many integrations do not become as many questions at once. */
const AT_ONCE = 8;
type QueueType = NonNullable<Parameters<TemporalService['workflowService']['describeTaskQueue']>[0]['taskQueueType']>;
/** By number, since the SDK does not export the enumeration. */
const TYPES = { workflow: 1, activity: 2 } as unknown as Readonly<Record<Wanted['type'], QueueType>>;

interface Wanted {
  readonly name: string;
  readonly type: 'workflow' | 'activity';
}

/** Why nobody does the work of a queue that is not served, and what to do. */
export function explainUnserved({ name, routing }: Queue, namespace: string): string {
  const [waiting] = idle(routing);
  const [missing = null] = absent(routing);
  if (waiting === undefined) {
    return missing === null ? `No worker serves ${name}.` : `No worker of ${nameOf(missing)} serves ${name}.`;
  }
  const command = commandFor(waiting, missing, namespace);
  return `No worker serves ${name}: its work goes to ${nameOf(missing)}, of which none is there, and not to ${nameOf(waiting)}. Start one, or run: ${command}`;
}

/** Asks Temporal to which versions of the workers the work of the workflow queue goes. To be called with a deadline. */
export async function surveyRouting({ workflowService }: TemporalService, namespace: string): Promise<Routing> {
  const answer = await describeQueue(workflowService, namespace, { name: WORKFLOW_QUEUE, type: 'workflow' });
  return readRouting(answer, Date.now() - LATELY_MS);
}

/** What a worker calls itself in Temporal, so that others see by which configuration it works. */
export function workerIdentity(process: { readonly pid: number; readonly host: string }, configHash: string): string {
  return `leasehold-worker/${process.pid}@${process.host}#${configHash}`;
}

/** For the metrics: whether each queue of a configuration is served. */
export async function surveyQueues(
  client: Client,
  namespace: string,
  config: Config,
): Promise<readonly { readonly queue: string; readonly served: boolean }[]> {
  const { queues } = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
    surveyWorkforce(client.connection, namespace, config),
  );
  return queues.map(({ name, served }) => ({ queue: name, served }));
}

/**
 * Asks Temporal who works on the queues of a configuration. To be called with a deadline.
 * @param integrations whose queues; default: all that are configured.
 */
export async function surveyWorkforce(
  { workflowService }: TemporalService,
  namespace: string,
  config: Config,
  integrations?: readonly string[],
): Promise<Workforce> {
  const queues: Queue[] = [];
  const seen = new Map<string, { readonly config: string; readonly at: number }>();
  const since = Date.now() - LATELY_MS;
  const look = async (wanted: Wanted): Promise<Queue> => {
    const answer = await describeQueue(workflowService, namespace, wanted);
    const routing = readRouting(answer, since);
    for (const { identity, lastAccessTime } of answer.pollers) {
      const at = instantOf(lastAccessTime);
      if (at < since) continue;
      const worker = readIdentity(identity);
      // A process that took over a changed file is remembered under both.
      if (worker !== null && at >= (seen.get(worker.process)?.at ?? 0)) {
        seen.set(worker.process, { config: worker.config, at });
      }
    }
    return { name: wanted.name, served: absent(routing).length === 0, routing };
  };
  const wanted = queuesOf(config, integrations);
  for (let index = 0; index < wanted.length; index += AT_ONCE) {
    queues.push(...(await Promise.all(wanted.slice(index, index + AT_ONCE).map(look))));
  }
  const others = [...seen].filter(([, worker]) => worker.config !== config.hash);
  return {
    queues,
    others: others.map(([process, worker]) => ({ process, config: worker.config })).sort(byProcess),
  };
}

async function describeQueue(
  workflowService: TemporalService['workflowService'],
  namespace: string,
  { name, type }: Wanted,
): ReturnType<TemporalService['workflowService']['describeTaskQueue']> {
  return workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType: TYPES[type] });
}

/** A retired integration issues nothing: nobody need wait for work of that kind. */
function queuesOf({ integrations }: Config, named: readonly string[] = Object.keys(integrations)): readonly Wanted[] {
  const ofIntegrations = named.flatMap((integration) => [
    ...(integrations[integration]?.retired === true ? [] : [provisionQueue(integration)]),
    deprovisionQueue(integration),
    upkeepQueue(integration),
  ]);
  return [
    { name: WORKFLOW_QUEUE, type: 'workflow' },
    ...ofIntegrations.map((name) => ({ name, type: 'activity' }) as const),
  ];
}

/** Null: it does not tell, as workers of older releases. */
function readIdentity(identity: string | null | undefined): { process: string; config: string } | null {
  const [, process, config] =
    /^(leasehold-worker\/[0-9]+@[\x21-\x7e]{1,255})#([0-9a-f]{8})$/.exec(identity ?? '') ?? [];
  return process === undefined || config === undefined ? null : { process, config };
}

function byProcess(a: OtherConfig, b: OtherConfig): number {
  return a.process < b.process ? -1 : 1;
}
