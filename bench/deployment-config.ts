import type { Provider } from './provider';

/** What one worker process does at most: see `limits` in docs/configuration.md. */
export interface Limits {
  readonly callsPerSecond: number;
  /** At the same time. */
  readonly provisions: number;
  readonly deprovisions: number;
}

/** What is leased in a bench. */
export const WHAT = { project: 'bench', config: 'load', dynamicSecret: 'DATABASE' } as const;
export const INTEGRATION = 'postgresql';
export const NAME_PREFIX = 'bench';
/** The name of the token for the API, and so of its holder. */
export const TOKEN = 'bench';
/** Where the worker finds the orchestrator's password. */
export const PASSWORD_VARIABLE = 'LEASEHOLD_BENCH_POSTGRES_PASSWORD';

export interface ConfigOptions {
  readonly provider: Pick<Provider, 'database' | 'group' | 'orchestrator'>;
  /** Where the worker reaches it. */
  readonly reach: { readonly host: string; readonly port: number };
  readonly limits: Limits;
  /** Absent: what a configuration has that does not name it. */
  readonly poolSize?: number;
  readonly tokenHash: string;
}

/** A configuration with one integration and one dynamic secret, as JSON, which is YAML. No secret is in it. */
export function configText({ provider, reach, limits, poolSize, tokenHash }: ConfigOptions): string {
  const { project, config, dynamicSecret } = WHAT;
  return JSON.stringify({
    version: 1,
    // The most that can be set, so that the API slows nobody down.
    api: { requests_per_minute: 1_000_000 },
    access: {
      tokens: {
        [TOKEN]: {
          hash: tokenHash,
          scopes: [`${project}/${config}`],
          rights: ['read', 'lease', 'revoke-own', 'admin'],
        },
      },
    },
    integrations: {
      [INTEGRATION]: {
        type: 'postgresql',
        connection: {
          ...reach,
          database: provider.database,
          user: provider.orchestrator.user,
          password: `env:${PASSWORD_VARIABLE}`,
          name_prefix: NAME_PREFIX,
          tls: { mode: 'disable' },
          ...(poolSize === undefined ? {} : { pool_size: poolSize }),
        },
        limits: {
          calls_per_second: limits.callsPerSecond,
          provisions: limits.provisions,
          deprovisions: limits.deprovisions,
        },
      },
    },
    projects: {
      [project]: {
        configs: {
          [config]: {
            dynamic_secrets: {
              [dynamicSecret]: {
                integration: INTEGRATION,
                default_ttl: '30m',
                min_ttl: '1s',
                max_ttl: '7d',
                parameters: { roles: [provider.group], owned: 'drop' },
              },
            },
          },
        },
      },
    },
  });
}
