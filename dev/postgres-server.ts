import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { errorCode } from '../cli/error-code';
import { onFreePorts } from './ports';
import { embeddedPostgres, makeReachable, unprivilegedAccount } from './postgres-binaries';
import type { Account } from './postgres-binaries';
import { startProcess, StartError } from './process';
import type { RunningProcess } from './process';

const run = promisify(execFile);

export interface PostgresServerOptions {
  /** Where `bin/initdb` and `bin/postgres` are. Default: what npm installed. */
  readonly binaries?: string;
  /** Taken if free; else another. */
  readonly port?: number;
  readonly logFile: string;
  /** Server settings beside our own, e.g. `log_statement`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PostgreSQL of its own on the loopback address. It forgets everything when it stops. */
export interface PostgresServer extends RunningProcess {
  readonly host: string;
  readonly port: number;
  /** The superuser. */
  readonly user: string;
  readonly password: string;
}

const HOST = '127.0.0.1';
const SUPERUSER = 'postgres';

/**
 * Makes a cluster in a temporary directory that nobody else can read, starts it and waits until it answers. As root it runs under
 * another user, because PostgreSQL refuses to run as root.
 * @throws StartError, PrerequisiteError
 */
export async function startPostgresServer(options: PostgresServerOptions): Promise<PostgresServer> {
  const binaries = options.binaries ?? embeddedPostgres();
  const account = await unprivilegedAccount();
  return onFreePorts({ port: options.port }, ({ port }) => startOn(port, { ...options, binaries, account }));
}

interface Server extends PostgresServerOptions {
  readonly binaries: string;
  readonly account: Account;
}

async function startOn(port: number, { account, ...options }: Server): Promise<PostgresServer> {
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-postgres-'));
  const clean = (): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 10 });
  try {
    if (account !== null) await chown(directory, account.uid, account.gid);
    const binaries = await makeReachable(options.binaries, account, directory);
    const password = randomBytes(18).toString('base64url');
    await makeCluster(binaries, directory, password, account);
    const server = await startCluster(port, { ...options, binaries, directory, password, account });
    const ended = server.ended.then(clean);
    const after = (end: () => Promise<void>) => async () => {
      await end();
      await ended;
    };
    return { ...server, ended, stop: after(() => server.stop()), kill: after(() => server.kill()) };
  } catch (error) {
    await clean();
    throw error;
  }
}

async function makeCluster(binaries: string, directory: string, password: string, account: Account): Promise<void> {
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account !== null) await chown(passwordFile, account.uid, account.gid);
  const flags = ['-D', dataIn(directory), '-U', SUPERUSER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  try {
    const as = { ...account, cwd: directory };
    await run(join(binaries, 'bin', 'initdb'), [...flags, '-E', 'UTF8', '--no-locale', '--no-sync'], as);
  } catch (error) {
    throw new StartError(`initdb made no PostgreSQL cluster: ${outputOf(error)}`);
  }
  await rm(passwordFile);
}

/** Where a cluster's files are. Beside it are a copy of the programs, if it needed one, and nothing else. */
function dataIn(directory: string): string {
  return join(directory, 'data');
}

/** The end of what a program wrote that failed. */
function outputOf(error: unknown): string {
  const { stderr } = error as { readonly stderr?: string };
  return stderr?.trimEnd().split('\n').slice(-4).join('\n') ?? String(errorCode(error));
}

interface Cluster extends Server {
  readonly directory: string;
  readonly password: string;
}

async function startCluster(port: number, cluster: Cluster): Promise<PostgresServer> {
  const { binaries, directory, password, account, logFile, settings } = cluster;
  const all = {
    listen_addresses: HOST,
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    // It is thrown away: nothing needs to reach the disk in time.
    fsync: 'off',
    // In its own directory, which is removed whole: elsewhere it would stay after a kill -9.
    dynamic_shared_memory_type: 'mmap',
    ...settings,
  };
  const own = { host: HOST, port, user: SUPERUSER, password };
  const server = await startProcess({
    command: join(binaries, 'bin', 'postgres'),
    args: ['-D', dataIn(directory), ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    logFile,
    account,
    workingDirectory: directory,
    leftover: directory,
    // SIGTERM would wait until every client has gone.
    stopSignal: 'SIGINT',
    ready: () => answers(own),
  });
  return { ...server, ...own };
}

async function answers(connection: Pick<PostgresServer, 'host' | 'port' | 'user' | 'password'>): Promise<boolean> {
  const client = new Client({ ...connection, database: 'postgres', connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } finally {
    await client.end();
  }
}
