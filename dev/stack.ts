import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAwsEmulator } from './aws-emulator';
import type { AwsEmulator } from './aws-emulator';
import { isAlive, withLock } from './lock';
import { readPorts, readRecord, write } from './stack-record';
import type { StackPorts, StackRecord } from './stack-record';
import type { Say } from './story';
import { isTemporalAt, startTemporalServer } from './temporal-server';
import type { TemporalServer } from './temporal-server';
import { findOrInstallTools } from './tools';
import type { Tools } from './tools';

export interface StackOptions {
  /**
   * A directory that keeps leases and ports from one start to the next; only one stack at a time runs on it. Absent: in
   * memory and in a temporary directory that is removed at stop.
   */
  readonly stateDirectory?: string;
  readonly say: Say;
  /** Default: found or installed. */
  readonly tools?: Tools;
}

/**
 * Everything that leases need on one machine. The orchestrator's AWS key is in `aws` and in no file: the emulator forgets it
 * at stop, and whoever needs it is started by the process that holds this.
 */
export interface Stack {
  readonly temporal: TemporalServer;
  readonly aws: AwsEmulator;
  readonly tools: Tools;
  /** Logs of the programs. */
  readonly logDirectory: string;
  /** Ends everything that was started, last first. Safe to call again. */
  stop(): Promise<void>;
}

/** A stack already runs on this state directory. */
export class StackRunning extends Error {
  override readonly name = 'StackRunning';

  constructor(readonly running: StackRecord) {
    super(`The stack runs already, in process ${running.pid}: end that first, or use it.`);
  }
}

/** What a developer's programs look for unasked. */
const USUAL: StackPorts = { temporal: 7233, ui: 8233, aws: 5055 };
/** A program of the stack that lost its parent ends within 3 seconds. */
const ORPHANS_END_WITHIN_MS = 10_000;

/**
 * Starts Temporal with its Web UI and the AWS emulator, and says where they are.
 * @throws StackRunning, PrerequisiteError, InstallError, StartError
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { say, stateDirectory } = options;
  const tools = options.tools ?? (await findOrInstallTools(say));
  if (stateDirectory === undefined) return startEphemeral(tools, say);
  await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
  const onWait = (pid: number): void => {
    say(`Process ${pid} is starting the stack; waiting for it.`);
  };
  return withLock(join(stateDirectory, 'stack.lock'), onWait, () => startPersistent(stateDirectory, tools, say));
}

/** How to reach the stack in lines for a person. */
export function describeStack({ temporal, aws }: Pick<StackRecord, 'temporal' | 'aws'>): readonly string[] {
  return [
    `Temporal         ${temporal.address} (namespace ${temporal.namespace})`,
    ...(temporal.uiUrl === null ? [] : [`Temporal Web UI  ${temporal.uiUrl}`]),
    `AWS emulator     ${aws.url}`,
  ];
}

async function startEphemeral(tools: Tools, say: Say): Promise<Stack> {
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  const clean = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    return await startPrograms({ tools, say, logDirectory: directory, ports: {} }, clean);
  } catch (error) {
    await clean();
    throw error;
  }
}

async function startPersistent(directory: string, tools: Tools, say: Say): Promise<Stack> {
  const recordFile = join(directory, 'stack.json');
  await clearRecord(recordFile);
  const state = join(directory, 'state');
  const logDirectory = join(directory, 'logs');
  await mkdir(state, { recursive: true, mode: 0o700 });
  await rm(logDirectory, { recursive: true, force: true });
  await mkdir(logDirectory, { mode: 0o700 });
  const portsFile = join(state, 'ports.json');
  const ports = (await readPorts(portsFile)) ?? USUAL;
  const databaseFile = join(state, 'temporal.db');
  const forget = (): Promise<void> => rm(recordFile, { force: true });
  const stack = await startPrograms({ tools, say, logDirectory, ports, databaseFile }, forget);
  try {
    await write(portsFile, portsOf(stack));
    await write(recordFile, recordOf(stack));
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** Makes sure that no stack runs, and no program of one whose process was killed. */
async function clearRecord(file: string): Promise<void> {
  const record = await readRecord(file);
  if (record !== null) {
    const until = Date.now() + ORPHANS_END_WITHIN_MS;
    while (await isTemporalAt(record.temporal.address)) {
      if (isAlive(record.pid) || Date.now() > until) throw new StackRunning(record);
      await sleep(200);
    }
  }
  await rm(file, { force: true });
}

interface Programs {
  readonly tools: Tools;
  readonly say: Say;
  readonly logDirectory: string;
  readonly databaseFile?: string;
  readonly ports: Partial<StackPorts>;
}

async function startPrograms(programs: Programs, afterwards: () => Promise<void>): Promise<Stack> {
  const { tools, say, logDirectory, databaseFile, ports } = programs;
  const [temporal, aws] = await bothOrNeither(
    startTemporalServer({
      binary: tools.temporal,
      logFile: join(logDirectory, 'temporal.log'),
      ...(databaseFile === undefined ? {} : { databaseFile }),
      ...(ports.temporal === undefined ? {} : { port: ports.temporal }),
      ...(ports.ui === undefined ? {} : { uiPort: ports.ui }),
    }),
    startAwsEmulator({
      binary: tools.moto,
      logFile: join(logDirectory, 'aws-emulator.log'),
      ...(ports.aws === undefined ? {} : { port: ports.aws }),
    }),
  );
  for (const line of describeStack({ temporal, aws })) say(line);
  const stop = async (): Promise<void> => {
    await aws.stop();
    await temporal.stop();
    await afterwards();
  };
  return { temporal, aws, tools, logDirectory, stop };
}

/** They start at the same time; if one does not come up the other is stopped. */
async function bothOrNeither<A extends Stoppable, B extends Stoppable>(
  one: Promise<A>,
  other: Promise<B>,
): Promise<[A, B]> {
  try {
    return await Promise.all([one, other]);
  } catch (error) {
    for (const result of await Promise.allSettled([one, other])) {
      if (result.status === 'fulfilled') await result.value.stop();
    }
    throw error;
  }
}

interface Stoppable {
  stop(): Promise<void>;
}

function recordOf({ temporal, aws }: Stack): StackRecord {
  const { address, namespace, uiUrl } = temporal;
  return { pid: process.pid, temporal: { address, namespace, uiUrl }, aws: { url: aws.url } };
}

function portsOf({ temporal, aws }: Stack): StackPorts {
  const portOf = (url: string): number => Number(new URL(url).port);
  return { temporal: portOf(`tcp://${temporal.address}`), ui: portOf(temporal.uiUrl ?? ''), aws: portOf(aws.url) };
}
