import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { pickSamples } from '../telemetry/samples';
import type { Wanted, Zero } from '../telemetry/samples';
import { deprovisionQueue, provisionQueue, upkeepQueue, WORKFLOW_QUEUE } from '../workflows/contract';

/** What the SDK measures of this process's work for Temporal. */
export interface SdkMetrics {
  /** For the `telemetryOptions` of the SDK's runtime. */
  readonly exporter: {
    readonly attachServiceName: false;
    readonly prometheus: {
      readonly bindAddress: string;
      readonly useSecondsForDurations: true;
      readonly unitSuffix: true;
    };
  };
  /** Those of its metrics that are worth an alert or a look, in the text format. Rejects if they cannot be read. */
  read(): Promise<string>;
  /** Says whose queues this process serves: failures there are told with 0 before the first. */
  serve(share: { readonly workflows: boolean; readonly integrations: readonly string[] }): void;
}

const metric =
  (type: Wanted['type'], unit = '') =>
  (name: string, help: string, labels: readonly string[]): Wanted => ({
    name: `temporal_${name}${unit}`,
    help,
    type,
    labels,
  });
const counter = metric('counter');
const gauge = metric('gauge');
const seconds = metric('histogram', '_seconds');

/** By the names that Temporal's documentation has for them. */
export const SDK_METRICS: readonly Wanted[] = [
  counter('workflow_task_execution_failed', 'Tasks of workflows that failed.', ['task_queue', 'failure_reason']),
  counter('activity_execution_failed', 'Attempts of activities that failed and were no expected end.', [
    'task_queue',
    'failure_reason',
  ]),
  counter('local_activity_execution_failed', 'Attempts of local activities that failed.', ['task_queue']),
  counter('request_failure', 'Calls to Temporal that failed.', ['operation', 'status_code']),
  counter('long_request_failure', 'Calls to Temporal that wait for something, and failed.', [
    'operation',
    'status_code',
  ]),
  counter('sticky_cache_total_forced_eviction', 'Workflows that had to make room for others in memory.', [
    'task_queue',
  ]),
  gauge('sticky_cache_size', 'Workflows that are held in memory.', ['task_queue']),
  gauge('worker_task_slots_available', 'Tasks that could be taken up beside those under way.', [
    'task_queue',
    'worker_type',
  ]),
  gauge('worker_task_slots_used', 'Tasks under way.', ['task_queue', 'worker_type']),
  gauge('num_pollers', 'Open questions to Temporal for work.', ['task_queue', 'poller_type']),
  seconds('workflow_task_schedule_to_start_latency', 'For how long a task of a workflow waited for a worker.', [
    'task_queue',
  ]),
  seconds('workflow_task_execution_latency', 'How long a task of a workflow took.', ['task_queue']),
  seconds('activity_schedule_to_start_latency', 'For how long an attempt of an activity waited for a worker.', [
    'task_queue',
  ]),
  seconds('request_latency', 'How long a call to Temporal took.', ['operation']),
];

const HOST = '127.0.0.1';
const READ_TIMEOUT_MS = 2_000;
/** Of failures whose first must be seen as an increase. */
const TASK_FAILURES = ['NonDeterminismError', 'WorkflowError'];
const OWN_QUEUE = new RegExp(`^(?:${WORKFLOW_QUEUE}|[a-z0-9-]+/(?:provision|deprovision|upkeep))$`);

/**
 * The SDK serves its metrics by itself, on a port of the loopback address that nobody else is told of. They are read from there, so
 * that one address tells everything of a process.
 */
export async function createSdkMetrics(): Promise<SdkMetrics> {
  const port = await freePort();
  const zeros = new Map<string, Zero>();
  const zero = (name: string, labels: Zero['labels']): void => {
    zeros.set(JSON.stringify([name, labels]), { name, labels });
  };
  return {
    exporter: {
      attachServiceName: false,
      prometheus: { bindAddress: `${HOST}:${String(port)}`, useSecondsForDurations: true, unitSuffix: true },
    },
    read: async () => pickSamples(await readFrom(port), SDK_METRICS, [...zeros.values()], boundQueue),
    serve: ({ workflows, integrations }) => {
      if (workflows) {
        for (const reason of TASK_FAILURES) {
          zero('temporal_workflow_task_execution_failed', { failure_reason: reason, task_queue: WORKFLOW_QUEUE });
        }
      }
      for (const name of integrations) {
        for (const queue of [provisionQueue(name), deprovisionQueue(name), upkeepQueue(name)]) {
          zero('temporal_activity_execution_failed', { failure_reason: 'ActivityError', task_queue: queue });
        }
      }
    },
  };
}

/** So that there are no more of them than the configuration has, whatever the SDK names. */
function boundQueue(label: string, value: string): string {
  return label === 'task_queue' && !OWN_QUEUE.test(value) ? 'other' : value;
}

/** Of its own agent, so that no proxy of the environment is asked. */
const agent = new Agent();

function readFrom(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(
      { host: HOST, port, path: '/metrics', agent, signal: AbortSignal.timeout(READ_TIMEOUT_MS) },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('error', reject);
        response.once('end', () => {
          resolve(text);
        });
      },
    );
    request.once('error', reject);
  });
}

/** One that nothing listens at in this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
