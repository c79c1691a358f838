import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { allOrNone } from './all-or-none';
import type { Starting, Together } from './all-or-none';
import { startAwsEmulator } from './aws-emulator';
import type { AwsEmulator } from './aws-emulator';
import { startDatadogEmulator } from './datadog-emulator/datadog-emulator';
import type { DatadogEmulator } from './datadog-emulator/datadog-emulator';
import { startDevelopmentPostgres } from './development-postgres';
import type { DevelopmentPostgres } from './development-postgres';
import { isAlive, withLock } from '../cli/lock';
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

/** Temporal and one provider. */
export interface AwsParts {
  readonly temporal: TemporalServer;
  readonly aws: AwsEmulator;
}

/** Temporal and every provider that can be had on one machine. */
export interface AllParts extends AwsParts {
  readonly postgres: DevelopmentPostgres;
  readonly datadog: DatadogEmulator;
}

/**
 * What leases need on one machine. The orchestrator's credentials are in its parts and in no file: the providers forget them
 * at stop, and whoever needs them is started by the process that holds this.
 */
export type Stack<Parts extends AwsParts = AllParts> = Parts & {
  readonly tools: Tools;
  /** Logs of the programs. */
  readonly logDirectory: string;
  /** Ends everything that was started, last first. Safe to call again. */
  stop(): Promise<void>;
};

/** A stack already runs on this state directory. */
export class StackRunning extends Error {
  override readonly name = 'StackRunning';

  constructor(readonly running: StackRecord) {
    super(`The stack runs already, in process ${running.pid}: end that first, or use it.`);
  }
}

/** What a developer's programs look for unasked. */
const USUAL: StackPorts = { temporal: 7233, ui: 8233, aws: 5055, postgres: 5455, datadog: 5056 };
/** A program of the stack that lost its parent ends within 3 seconds. */
const ORPHANS_END_WITHIN_MS = 10_000;

/**
 * Starts Temporal with its Web UI, the emulators of AWS and Datadog, and PostgreSQL, and says where they are.
 * @throws StackRunning, PrerequisiteError, InstallError, StartError
 */
export function startStack(options: StackOptions): Promise<Stack> {
  return start(options, (programs) => allOrNone<AllParts>({ ...awsParts(programs), ...otherParts(programs) }));
}

/**
 * Starts Temporal with its Web UI and the emulator of AWS alone.
 * @throws StackRunning, PrerequisiteError, InstallError, StartError
 */
export function startAwsStack(options: StackOptions): Promise<Stack<AwsParts>> {
  return start(options, (programs) => allOrNone<AwsParts>(awsParts(programs)));
}

/** How to reach the stack in lines for a person. */
export function describeStack({ temporal, aws, postgres, datadog }: Omit<StackRecord, 'pid'>): readonly string[] {
  return [
    `Temporal          ${temporal.address} (namespace ${temporal.namespace})`,
    ...(temporal.uiUrl === null ? [] : [`Temporal Web UI   ${temporal.uiUrl}`]),
    `AWS emulator      ${aws.url}`,
    ...(postgres === undefined ? [] : [`PostgreSQL        ${postgres.host}:${postgres.port}/${postgres.database}`]),
    ...(datadog === undefined ? [] : [`Datadog emulator  ${datadog.url}`]),
  ];
}

async function start<Parts extends AwsParts>(options: StackOptions, begin: Begin<Parts>): Promise<Stack<Parts>> {
  const { say, stateDirectory } = options;
  const tools = options.tools ?? (await findOrInstallTools(say));
  if (stateDirectory === undefined) return startEphemeral(tools, say, begin);
  await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
  const onWait = (pid: number): void => {
    say(`Process ${pid} is starting the stack; waiting for it.`);
  };
  const lockFile = join(stateDirectory, 'stack.lock');
  return withLock(lockFile, onWait, () => startPersistent(stateDirectory, tools, say, begin));
}

async function startEphemeral<Parts extends AwsParts>(
  tools: Tools,
  say: Say,
  begin: Begin<Parts>,
): Promise<Stack<Parts>> {
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  const clean = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    return await startParts({ tools, logDirectory: directory, ports: {} }, say, begin, clean);
  } catch (error) {
    await clean();
    throw error;
  }
}

async function startPersistent<Parts extends AwsParts>(
  directory: string,
  tools: Tools,
  say: Say,
  begin: Begin<Parts>,
): Promise<Stack<Parts>> {
  const recordFile = join(directory, 'stack.json');
  await clearRecord(recordFile);
  const state = join(directory, 'state');
  const logDirectory = join(directory, 'logs');
  await mkdir(state, { recursive: true, mode: 0o700 });
  await rm(logDirectory, { recursive: true, force: true });
  await mkdir(logDirectory, { mode: 0o700 });
  const portsFile = join(state, 'ports.json');
  const ports = { ...USUAL, ...(await readPorts(portsFile)) };
  const databaseFile = join(state, 'temporal.db');
  const forget = (): Promise<void> => rm(recordFile, { force: true });
  const stack = await startParts({ tools, logDirectory, ports, databaseFile }, say, begin, forget);
  try {
    await write(portsFile, { ...ports, ...portsOf(stack) });
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
  readonly logDirectory: string;
  readonly databaseFile?: string;
  readonly ports: Partial<StackPorts>;
}

type Begin<Parts> = (programs: Programs) => Promise<Together<Parts>>;

function awsParts({ tools, logDirectory, databaseFile, ports }: Programs): Starting<AwsParts> {
  return {
    temporal: startTemporalServer({
      binary: tools.temporal,
      logFile: join(logDirectory, 'temporal.log'),
      ...(databaseFile === undefined ? {} : { databaseFile }),
      ...(ports.temporal === undefined ? {} : { port: ports.temporal }),
      ...(ports.ui === undefined ? {} : { uiPort: ports.ui }),
    }),
    aws: startAwsEmulator({
      binary: tools.moto,
      logFile: join(logDirectory, 'aws-emulator.log'),
      ...(ports.aws === undefined ? {} : { port: ports.aws }),
    }),
  };
}

function otherParts({ logDirectory, ports }: Programs): Starting<Omit<AllParts, keyof AwsParts>> {
  return {
    postgres: startDevelopmentPostgres({
      logFile: join(logDirectory, 'postgres.log'),
      ...(ports.postgres === undefined ? {} : { port: ports.postgres }),
    }),
    datadog: startDatadogEmulator(ports.datadog === undefined ? {} : { port: ports.datadog }),
  };
}

async function startParts<Parts extends AwsParts>(
  programs: Programs,
  say: Say,
  begin: Begin<Parts>,
  afterwards: () => Promise<void>,
): Promise<Stack<Parts>> {
  const { tools, logDirectory } = programs;
  const together = await begin(programs);
  const { parts } = together;
  for (const line of describeStack(reached(parts))) say(line);
  return {
    ...parts,
    tools,
    logDirectory,
    stop: async () => {
      try {
        await together.stop();
      } finally {
        await afterwards();
      }
    },
  };
}

/** How the parts are reached, and no key of theirs. */
function reached({ temporal, aws, postgres, datadog }: AwsParts & Partial<AllParts>): Omit<StackRecord, 'pid'> {
  const { address, namespace, uiUrl } = temporal;
  return {
    temporal: { address, namespace, uiUrl },
    aws: { url: aws.url },
    ...(postgres && { postgres: { host: postgres.host, port: postgres.port, database: postgres.database } }),
    ...(datadog && { datadog: { url: datadog.url } }),
  };
}

function recordOf(parts: AwsParts): StackRecord {
  return { pid: process.pid, ...reached(parts) };
}

function portsOf({ temporal, aws, postgres, datadog }: AwsParts & Partial<AllParts>): StackPorts {
  const portOf = (url: string): number => Number(new URL(url).port);
  return {
    temporal: portOf(`tcp://${temporal.address}`),
    ui: portOf(temporal.uiUrl ?? ''),
    aws: portOf(aws.url),
    ...(postgres?.embedded && { postgres: postgres.port }),
    ...(datadog && { datadog: portOf(datadog.url) }),
  };
}
