import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startProcess } from '../dev/process';
import type { RunningProcess } from '../dev/process';
import { openBaoApi } from './openbao-api';
import type { OpenBaoApi } from './openbao-api';
import type { Provider } from './provider';
import { twoSteadyPorts } from './two-ports';
import { usageOf } from './usage';
import type { Usage } from './usage';

export interface OpenBaoOptions {
  readonly binary: string;
  /** It makes one of its own in there. */
  readonly directory: string;
  readonly provider: Provider;
  /** Where it reaches PostgreSQL. Default: the provider itself. */
  readonly reach?: { readonly host: string; readonly port: number };
  /** What a lease gets that asks for none: `90s`, `30m`, `12h`. */
  readonly ttl: string;
  /** Connections to PostgreSQL. Default: OpenBao's own. */
  readonly maxOpenConnections?: number;
}

export interface BaoLease {
  readonly leaseId: string;
  /** The role. */
  readonly username: string;
  readonly password: string;
}

/** An OpenBao as it is run for real: its storage is on disk, and its database engine leases roles of the provider. */
export interface OpenBao {
  readonly url: string;
  /** In which OpenBao's own command line works with it as root. Secret. */
  readonly environment: Readonly<Record<string, string>>;
  /** What that command line reads to issue a lease. */
  readonly credentials: string;
  issue(ttl?: string): Promise<BaoLease>;
  /** Resolves when the role is gone. */
  revoke(leaseId: string): Promise<void>;
  /** The roles of its leases begin with it, and no others. */
  readonly rolePrefix: string;
  usage(): Promise<Usage>;
  /** kill -9; waits until it is gone. */
  kill(): Promise<void>;
  /** After a kill. Starts it on its storage, unseals it, and waits until it takes requests. */
  start(): Promise<void>;
  /** Ends it. Leases that live are not ended. */
  stop(): Promise<void>;
}

/** Which source a statement about its code is from. */
export const OPENBAO_SOURCE =
  'as of commit df6ce2c, after 2.6.2; the version that was measured is told below, and its source was not read';
const ROLE_PREFIX = 'baobench-';
const MAX_TTL = '168h';
const ACTIVE_WITHIN_MS = 60_000;
const TTL = /^\d+[smh]$/;

const initialised = z.object({ keys: z.array(z.string()).length(1), root_token: z.string() });
const issued = z.object({ lease_id: z.string(), data: z.object({ username: z.string(), password: z.string() }) });

/**
 * Starts it with one key share, which stays in this process as the root token does, and waits until it leases.
 * @throws StartError, OpenBaoError
 */
export async function startOpenBao(options: OpenBaoOptions): Promise<OpenBao> {
  const { binary, provider, ttl } = options;
  const directory = await mkdtemp(join(options.directory, 'openbao-'));
  const [port, clusterPort] = await twoSteadyPorts();
  const url = `http://127.0.0.1:${port}`;
  const configFile = join(directory, 'openbao.hcl');
  const storage = join(directory, 'data');
  await mkdir(storage);
  await writeFile(configFile, configText(storage, port, clusterPort));
  const api = openBaoApi(url);
  let running: RunningProcess | null = null;
  let key = '';
  const begin = async (): Promise<void> => {
    if (running !== null) throw new Error('OpenBao runs already: kill it first.');
    running = await startProcess({
      command: binary,
      args: ['server', `-config=${configFile}`],
      logFile: join(directory, 'openbao.log'),
      ready: () => api.answers(),
    });
  };
  const unseal = async (): Promise<void> => {
    await api.call('PUT', 'sys/unseal', { key });
    await untilActive(api);
  };
  const end = async (how: (running: RunningProcess) => Promise<void>): Promise<void> => {
    if (running !== null) await how(running);
    running = null;
  };
  try {
    await begin();
    const made = initialised.parse(await api.call('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 }));
    key = made.keys.join('');
    api.login(made.root_token);
    await unseal();
    await mountDatabase(api, options);
    const roleFor = createRoles(api, provider.group);
    const credentials = `database/creds/${await roleFor(ttl)}`;
    return {
      url,
      environment: { BAO_ADDR: url, BAO_TOKEN: made.root_token },
      credentials,
      rolePrefix: ROLE_PREFIX,
      issue: async (asked = ttl) => {
        const role = await roleFor(asked);
        const { lease_id: leaseId, data } = issued.parse(await api.call('GET', `database/creds/${role}`));
        return { leaseId, ...data };
      },
      revoke: async (leaseId) => {
        await api.call('PUT', 'sys/leases/revoke', { lease_id: leaseId, sync: true });
      },
      usage: async () => {
        if (running === null) throw new Error('OpenBao does not run: start it first.');
        return usageOf(running.pid);
      },
      kill: () => end((started) => started.kill()),
      start: async () => {
        await begin();
        await unseal();
      },
      stop: () => end((started) => started.stop()),
    };
  } catch (error) {
    await end((started) => started.stop());
    throw error;
  }
}

function configText(storage: string, port: number, clusterPort: number): string {
  return `storage "raft" {
  path    = ${JSON.stringify(storage)}
  node_id = "bench"
}
listener "tcp" {
  address         = "127.0.0.1:${port}"
  cluster_address = "127.0.0.1:${clusterPort}"
  tls_disable     = true
}
api_addr      = "http://127.0.0.1:${port}"
cluster_addr  = "https://127.0.0.1:${clusterPort}"
disable_mlock = true
log_level     = "warn"
`;
}

/** Alone in its cluster, it makes itself the leader some moments after it was unsealed. */
async function untilActive(api: OpenBaoApi): Promise<void> {
  const until = Date.now() + ACTIVE_WITHIN_MS;
  while (!(await api.isActive())) {
    if (Date.now() > until) {
      throw new Error(`OpenBao takes no requests ${ACTIVE_WITHIN_MS / 1_000} s after it was unsealed.`);
    }
    await sleep(20);
  }
}

async function mountDatabase(api: OpenBaoApi, options: OpenBaoOptions): Promise<void> {
  const { provider, reach = provider.server, maxOpenConnections } = options;
  await api.call('POST', 'sys/mounts/database', { type: 'database' });
  await api.call('POST', 'database/config/pg', {
    plugin_name: 'postgresql-database-plugin',
    allowed_roles: '*',
    connection_url: `postgresql://{{username}}:{{password}}@${reach.host}:${reach.port}/${provider.database}?sslmode=disable`,
    username: provider.orchestrator.user,
    password: provider.orchestrator.password,
    username_template: `${ROLE_PREFIX}{{random 20 | lowercase}}`,
    ...(maxOpenConnections === undefined ? {} : { max_open_connections: maxOpenConnections }),
  });
}

/** A TTL is a property of OpenBao's roles: there is one for each that is asked for. Answers its name. */
function createRoles(api: OpenBaoApi, group: string): (ttl: string) => Promise<string> {
  const made = new Map<string, Promise<string>>();
  const make = async (ttl: string): Promise<string> => {
    if (!TTL.test(ttl)) throw new Error(`${JSON.stringify(ttl)} is no TTL for OpenBao: write 90s, 30m or 12h.`);
    await api.call('POST', `database/roles/bench-${ttl}`, {
      db_name: 'pg',
      creation_statements: [
        `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' IN ROLE ${group}`,
      ],
      default_ttl: ttl,
      max_ttl: MAX_TTL,
    });
    return `bench-${ttl}`;
  };
  return (ttl) => {
    const role = made.get(ttl) ?? make(ttl);
    made.set(ttl, role);
    // What could not be made is asked for anew the next time.
    role.catch(() => made.delete(ttl));
    return role;
  };
}
