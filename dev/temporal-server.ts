import { Connection } from '@temporalio/client';
import { checkSearchAttributes, REQUIRED_ATTRIBUTES } from '../temporal/search-attributes';
import { onFreePorts } from './ports';
import { startProcess } from './process';
import type { RunningProcess } from './process';

export interface TemporalServerOptions {
  /** Temporal's command line. */
  readonly binary: string;
  /** Where leases are kept (SQLite); absent: in memory. */
  readonly databaseFile?: string;
  /** Taken if free; else another. */
  readonly port?: number;
  readonly uiPort?: number;
  /** Without the Web UI. */
  readonly headless?: boolean;
  /** More of the server's dynamic configuration, as `key=value`. */
  readonly settings?: readonly string[];
  readonly logFile: string;
}

/** The embedded Temporal server. */
export interface TemporalServer extends RunningProcess {
  readonly address: string;
  readonly namespace: string;
  /** Null when headless. */
  readonly uiUrl: string | null;
}

const NAMESPACE = 'default';
const ANSWER_WITHIN_MS = 2_000;
/** Read 20 times a second by default: a grid of 50 ms on everything that a lease waits for. Nothing waits for the index, which keeps it. */
const QUEUES = ['transfer', 'timer'];
/**
 * Of the four partitions that each task queue has by default, for many servers, what is new goes to one. A worker with few open polls
 * takes what is new in a partition before it comes to what waits in another: of fifty callers at once some waited for six seconds.
 * All four are read, for an older database may hold tasks there.
 */
const WRITTEN = 'matching.numTaskqueueWritePartitions=1';
/**
 * Leases that end at one time wait for one another, and nobody else for them: a new lease got its credential after two seconds instead of
 * fourteen while a thousand others expired. What an older database holds in its queues is taken first.
 */
const FAIR = 'matching.enableFairness=true';
/**
 * A log of changes instead of a copy of what is changed: nearly twice as many workflows in a second. Each still reaches the disk before it is
 * answered, as by default.
 */
const PRAGMAS = ['journal_mode=wal', 'synchronous=2'];

/**
 * Starts the embedded server and waits until it answers and has the search attributes of leases. With a database file and
 * the port of a server that was stopped, its workflows go on where they were.
 * @throws StartError
 */
export function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  return onFreePorts({ port: options.port, uiPort: options.uiPort }, (ports) => startOn(ports, options));
}

async function startOn(
  { port, uiPort }: { readonly port: number; readonly uiPort: number },
  { binary, databaseFile, headless = false, settings = [], logFile }: TemporalServerOptions,
): Promise<TemporalServer> {
  const address = `127.0.0.1:${port}`;
  const args = [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'error'],
    ...(headless ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(databaseFile === undefined ? [] : ['--db-filename', databaseFile, ...each('--sqlite-pragma', PRAGMAS)]),
    ...each(
      '--search-attribute',
      REQUIRED_ATTRIBUTES.map(({ name, type }) => `${name}=${type}`),
    ),
    ...each('--dynamic-config-value', [
      ...QUEUES.map((queue) => `history.${queue}ProcessorMaxPollRPS=2000`),
      WRITTEN,
      FAIR,
      ...settings,
    ]),
  ];
  const server = await startProcess({ command: binary, args, logFile, ready: () => isReady(address) });
  return {
    ...server,
    address,
    namespace: NAMESPACE,
    uiUrl: headless ? null : `http://127.0.0.1:${uiPort}`,
  };
}

function each(flag: string, values: readonly string[]): string[] {
  return values.flatMap((value) => [flag, value]);
}

/** Whether a Temporal server answers there. */
export async function isTemporalAt(address: string): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: ANSWER_WITHIN_MS });
    await connection.close();
    return true;
  } catch {
    return false;
  }
}

/** Connecting asks for the server's system information: a listening port alone is not enough. */
async function isReady(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: ANSWER_WITHIN_MS });
  try {
    const deadline = Date.now() + ANSWER_WITHIN_MS;
    await connection.withDeadline(deadline, () => checkSearchAttributes(connection, NAMESPACE));
    return true;
  } finally {
    await connection.close();
  }
}
