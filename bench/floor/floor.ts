import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection, WithStartWorkflowOperation } from '@temporalio/client';
import { randomLeaseId } from '../../client/lease-id';
import { projectRoot } from '../../dev/root';
import { startProcess } from '../../dev/process';
import { CHANNEL_ARGS } from '../../temporal/connection';
import { WORKFLOW_TASK_TIMEOUT_MS } from '../../workflows/contract';
import type { LeaseInput } from '../../workflows/contract';
import { describeStart } from '../described';
import { usageOf } from '../usage';
import type { Usage } from '../usage';
import { ANSWER_BYTES, FLOOR_QUEUE, FLOOR_WORKFLOW, READY } from './shape';
import type { FloorInput, Shape } from './shape';

/** A worker of the floor, and a client that does as little as it can. */
export interface Floor {
  /** Of its worker. */
  usage(): Promise<Usage>;
  readonly client: Client;
  /** Starts a run, and answers its id when its answer is there. */
  begin(shape: Shape): Promise<string>;
  /** Ends a run; resolves when its second activity is over and it has ended. */
  end(id: string): Promise<void>;
  stop(): Promise<void>;
}

/** As long as what the library asks for; the key is none. */
const REQUEST: LeaseInput = {
  project: 'bench',
  config: 'floor',
  dynamicSecret: 'FLOOR',
  ttlMs: null,
  holder: 'library:bench',
  recipient: { kty: 'OKP', crv: 'X25519', x: 'x'.repeat(43) },
  thumbprint: 'x'.repeat(43),
};

/** More than anything takes while its worker lives. */
const ANSWERED_WITHIN_MS = 60_000;

export interface FloorOptions {
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly directory: string;
  /** Nothing is waited for any more once it is aborted. */
  readonly signal: AbortSignal;
}

export async function startFloor({ temporal, directory, signal }: FloorOptions): Promise<Floor> {
  const { address, namespace } = temporal;
  await mkdir(directory, { recursive: true });
  const logFile = join(directory, 'floor.log');
  const running = await startProcess({
    command: process.execPath,
    args: [join(projectRoot(), 'dist', 'bench', 'floor', 'main.js'), address, namespace],
    environment: { NODE_ENV: 'production' },
    logFile,
    ready: async () => (await readFile(logFile, 'utf8')).includes(READY),
  });
  try {
    const connection = await Connection.connect({ address, channelArgs: CHANNEL_ARGS });
    const client = new Client({ connection, namespace });
    const bounded = <T>(act: () => Promise<T>): Promise<T> =>
      withOwnSignal(signal, (own) =>
        connection.withAbortSignal(own, () => connection.withDeadline(Date.now() + ANSWERED_WITHIN_MS, act)),
      );
    return {
      usage: () => usageOf(running.pid),
      client,
      begin: (shape) => bounded(() => begin(client, namespace, shape)),
      end: (id) => bounded(() => end(client, id)),
      stop: async () => {
        try {
          await connection.close();
        } finally {
          await running.stop();
        }
      },
    };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/**
 * A connection never takes back its listeners. On one signal for all calls they pile up, and each further call looks through all of them:
 * after some ten thousand that takes milliseconds.
 */
async function withOwnSignal<T>(signal: AbortSignal, act: (own: AbortSignal) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const own = new AbortController();
  const pass = (): void => {
    own.abort(signal.reason);
  };
  signal.addEventListener('abort', pass);
  try {
    return await act(own.signal);
  } finally {
    signal.removeEventListener('abort', pass);
  }
}

async function begin(client: Client, namespace: string, shape: Shape): Promise<string> {
  const leaseId = randomLeaseId();
  const described = shape.described === true;
  const input: FloorInput = { leaseId, shape, ...(described ? { request: REQUEST } : {}) };
  const startWorkflowOperation = new WithStartWorkflowOperation(FLOOR_WORKFLOW, {
    workflowId: leaseId,
    taskQueue: FLOOR_QUEUE,
    args: [input],
    workflowIdConflictPolicy: 'FAIL',
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
    ...(described ? describeStart(leaseId, namespace, REQUEST) : {}),
  });
  const answer: unknown = await client.workflow.executeUpdateWithStart('claim', { startWorkflowOperation });
  if (typeof answer !== 'string' || answer.length !== ANSWER_BYTES) {
    throw new Error(`The floor answered something else than its activity: run ${leaseId}.`);
  }
  return leaseId;
}

async function end(client: Client, id: string): Promise<void> {
  const handle = client.workflow.getHandle(id);
  await handle.signal('finish');
  await handle.result();
}
