import { createApi } from '../../api/api';
import type { ApiDeps } from '../../api/deps';
import type { TlsFiles } from '../../api/tls';
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
  /** Starts another API on the same lab, to be stopped by the test. */
  startApi(different?: Partial<ApiDeps>): Promise<RunningApi>;
  /** What the API has logged so far. */
  apiLogs(): string;
  /** From now on the API's configuration is another one. */
  reconfigure(config: MemoryConfig): void;
}

export interface RunningApi {
  readonly url: string;
  stop(): Promise<void>;
}

interface ApiLabOptions extends MemoryConfig {
  /** More tokens, as in the configuration file without their hash. */
  readonly tokens?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly requestsPerMinute?: number;
  readonly trustProxy?: readonly string[];
  readonly tls?: TlsFiles;
}

const TOKENS = {
  ci: { scopes: ['backend/prd'] },
  other: { scopes: ['backend/prd'] },
  admin: { scopes: ['*'], rights: ['read', 'lease', 'revoke-own', 'admin'] },
};

export async function openApiLab({
  tokens: more = {},
  requestsPerMinute = 100_000,
  trustProxy = [],
  tls,
  ...base
}: ApiLabOptions = {}): Promise<ApiLab> {
  const tokens: Record<string, string> = {};
  const entries: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries({ ...TOKENS, ...more })) {
    const made = makeToken(name);
    tokens[name] = made.token;
    entries[name] = { hash: made.hash, ...entry };
  }
  const file = { ...base.file, access: { tokens: entries } };
  const lab = await openMemoryLab({ ...base, file });
  await lab.startWorker();
  let config: Config = lab.parse();
  let logs = '';
  const { client, namespace, deployment, writer, metrics } = lab;
  const startApi = async (different: Partial<ApiDeps> = {}): Promise<RunningApi> => {
    const app = await createApi(
      {
        config: () => config,
        leases: createLeaseService({ client, namespace, deployment }),
        client,
        namespace,
        authenticate: createAuthenticate(() => config),
        audit: writer,
        metrics,
        logger: createLogger('debug', {
          write: (line) => {
            logs += line;
          },
        }),
        ...different,
      },
      { tls: tls ?? null, settings: () => ({ trustProxy, requestsPerMinute }) },
    );
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    return { url, stop: () => app.close() };
  };
  const api = await startApi();
  return {
    ...lab,
    url: api.url,
    startApi,
    tokens,
    apiLogs: () => logs,
    reconfigure: (change) => {
      config = lab.parse({ ...change, file: { ...file, ...change.file } });
    },
    close: async () => {
      await api.stop();
      await lab.close();
    },
  };
}
