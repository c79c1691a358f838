import type { FastifyInstance } from 'fastify';
import { createApi } from '../../api/api';
import type { ApiDeps } from '../../api/deps';
import type { ApiOptions } from '../../api/server';
import { createAuthenticate } from '../../api/identity/authenticate';
import { makeToken } from '../../api/identity/token';
import { createLeaseService } from '../../client/service';
import type { Config } from '../../config/load';
import { createLogger } from '../../telemetry/logger';
import { openMemoryLab } from './memory-lab';
import type { MemoryConfig, MemoryLab } from './memory-lab';

/** A memory lab with a worker and the HTTP API in this process. */
export interface ApiLab extends MemoryLab {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Tokens by name; `ci`, `other` and `admin` are always there. */
  readonly tokens: Readonly<Record<string, string>>;
  /** What the API has logged so far. */
  apiLogs(): string;
  /** Starts one more API on the same lab, with what differs; it ends with the lab if the test does not stop it. */
  startApi(deps?: Partial<ApiDeps>, options?: Partial<ApiOptions>): Promise<RunningApi>;
  /** From now on the API's configuration is another one. */
  reconfigure(config: MemoryConfig): void;
}

export interface RunningApi {
  readonly url: string;
  stop(): Promise<void>;
}

interface ApiLabOptions extends MemoryConfig {
  /** A Temporal server of the test's own; absent: the one that all share. */
  readonly address?: string;
  /** More tokens, as in the configuration file without their hash. */
  readonly tokens?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Issuers by alias, as in the configuration file. */
  readonly oidc?: Readonly<Record<string, unknown>>;
  readonly requestsPerMinute?: number;
}

const TOKENS = {
  ci: { scopes: ['backend/prd'] },
  other: { scopes: ['backend/prd'] },
  admin: { scopes: ['*'], rights: ['read', 'lease', 'revoke-own', 'admin'] },
};

export async function openApiLab({
  address,
  tokens: more = {},
  oidc = {},
  requestsPerMinute = 100_000,
  ...base
}: ApiLabOptions = {}): Promise<ApiLab> {
  const tokens: Record<string, string> = {};
  const entries: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries({ ...TOKENS, ...more })) {
    const made = makeToken(name);
    tokens[name] = made.token;
    entries[name] = { hash: made.hash, ...entry };
  }
  const file = { ...base.file, access: { tokens: entries, oidc } };
  const lab = await openMemoryLab({ ...base, file }, address);
  await lab.startWorker();
  let config: Config = lab.parse();
  let logs = '';
  const logger = createLogger('debug', {
    write: (line) => {
      logs += line;
    },
  });
  const { client, namespace, deployment, writer, metrics } = lab;
  const apps: FastifyInstance[] = [];
  const startApi: ApiLab['startApi'] = async (deps, options) => {
    const app = await createApi(
      {
        config: () => config,
        leases: createLeaseService({ client, namespace, deployment }),
        client,
        namespace,
        authenticate: createAuthenticate(() => config, logger),
        audit: writer,
        metrics,
        logger,
        ...deps,
      },
      { tls: null, settings: () => ({ trustProxy: [], requestsPerMinute }), ...options },
    );
    apps.push(app);
    return { url: await app.listen({ host: '127.0.0.1', port: 0 }), stop: () => app.close() };
  };
  const { url } = await startApi();
  return {
    ...lab,
    url,
    tokens,
    apiLogs: () => logs,
    startApi,
    reconfigure: (change) => {
      config = lab.parse({ ...change, file: { ...file, ...change.file } });
    },
    close: async () => {
      await Promise.all(apps.map((app) => app.close()));
      await lab.close();
    },
  };
}
