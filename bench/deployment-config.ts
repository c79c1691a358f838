import type { Orchestrator, Provider } from './provider';

/** What one worker process does at most: see `limits` in docs/configuration.md. */
export interface Limits {
  readonly callsPerSecond: number;
  /** At the same time. */
  readonly provisions: number;
  readonly deprovisions: number;
}

/** What is leased in a bench. */
export interface What {
  readonly project: string;
  readonly config: string;
  readonly dynamicSecret: string;
}

/** Of an integration, which has an orchestrator of its own. */
export interface IntegrationNames {
  readonly integration: string;
  readonly namePrefix: string;
  readonly what: What;
  /** Where the worker finds its orchestrator's password. */
  readonly passwordVariable: string;
}

const PROJECT = 'bench';
const CONFIG = 'load';
/** The name of the token for the API, and so of its holder. */
export const TOKEN = 'bench';

/** @param index counts from 0. */
export function integrationNames(index: number): IntegrationNames {
  const number = index === 0 ? '' : String(index + 1);
  return {
    integration: `postgresql${number}`,
    namePrefix: `bench${number}`,
    what: { project: PROJECT, config: CONFIG, dynamicSecret: `DATABASE${number}` },
    passwordVariable: `LEASEHOLD_BENCH_POSTGRES_PASSWORD${number}`,
  };
}

export interface ConfigOptions {
  readonly provider: Pick<Provider, 'database' | 'group'>;
  /** One for each integration. */
  readonly orchestrators: readonly Pick<Orchestrator, 'user'>[];
  /** Where the worker reaches it. */
  readonly reach: { readonly host: string; readonly port: number };
  /** null: those of a configuration that names none. */
  readonly limits: Limits | null;
  /** Absent: what a configuration has that does not name it. */
  readonly poolSize?: number;
  readonly tokenHash: string;
}

/** A configuration with a dynamic secret for each integration, as JSON, which is YAML. No secret is in it. */
export function configText(options: ConfigOptions): string {
  const parts = options.orchestrators.map((orchestrator, index) =>
    partOf(options, orchestrator, integrationNames(index)),
  );
  return JSON.stringify({
    version: 1,
    // The most that can be set, so that the API slows nobody down.
    api: { requests_per_minute: 1_000_000 },
    access: {
      tokens: {
        [TOKEN]: {
          hash: options.tokenHash,
          scopes: [`${PROJECT}/${CONFIG}`],
          rights: ['read', 'lease', 'revoke-own', 'admin'],
        },
      },
    },
    integrations: Object.fromEntries(parts.map(({ integration }) => integration)),
    projects: {
      [PROJECT]: {
        configs: { [CONFIG]: { dynamic_secrets: Object.fromEntries(parts.map(({ dynamicSecret }) => dynamicSecret)) } },
      },
    },
  });
}

function partOf(
  { provider, reach, limits, poolSize }: ConfigOptions,
  { user }: Pick<Orchestrator, 'user'>,
  { integration, namePrefix, what, passwordVariable }: IntegrationNames,
) {
  return {
    integration: [
      integration,
      {
        type: 'postgresql',
        connection: {
          ...reach,
          database: provider.database,
          user,
          password: `env:${passwordVariable}`,
          name_prefix: namePrefix,
          tls: { mode: 'disable' },
          ...(poolSize === undefined ? {} : { pool_size: poolSize }),
        },
        ...(limits === null
          ? {}
          : {
              limits: {
                calls_per_second: limits.callsPerSecond,
                provisions: limits.provisions,
                deprovisions: limits.deprovisions,
              },
            }),
      },
    ],
    dynamicSecret: [
      what.dynamicSecret,
      {
        integration,
        default_ttl: '30m',
        min_ttl: '1s',
        max_ttl: '7d',
        parameters: { roles: [provider.group], owned: 'drop' },
      },
    ],
  } as const;
}
