import { NO_SCHEDULED_SWEEP, openBaseLab, QUICK_TIMINGS } from './base-lab';
import type { BaseLab } from './base-lab';
import { startPostgresProxy } from './postgres-proxy';
import type { PostgresProxy } from './postgres-proxy';
import { DATABASE, openPostgresSetting, ORCHESTRATOR, OWNER, READERS } from './postgres-setting';
import type { PostgresSetting } from './postgres-setting';

/** A base lab with a PostgreSQL behind a proxy. Holders reach the server itself. */
export interface PostgresLab extends BaseLab {
  readonly setting: PostgresSetting;
  readonly proxy: PostgresProxy;
}

export interface PostgresLabOptions {
  /** Of another server than the one that the development stack runs on. */
  readonly binaries?: string;
  /** Of the server. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Text that every error answer repeats. */
  readonly echo?: string;
  readonly timings?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, number>>;
  readonly poolSize?: number;
  /** Of the dynamic secret, beside the lab's own. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** What is leased in a lab. */
export const INTEGRATION = 'database';
export const REQUEST = { project: 'backend', config: 'prd', dynamicSecret: 'DATABASE' } as const;

export async function openPostgresLab(options: PostgresLabOptions = {}): Promise<PostgresLab> {
  const { binaries, settings, echo } = options;
  const setting = await openPostgresSetting({
    ...(binaries === undefined ? {} : { binaries }),
    ...(settings === undefined ? {} : { settings }),
  });
  const proxy = await startPostgresProxy({ target: setting.server, ...(echo === undefined ? {} : { echo }) });
  const lab = await openBaseLab({
    config: configFile(setting, proxy, options),
    environment: { LAB_PASSWORD: setting.password },
  });
  return {
    ...lab,
    setting,
    proxy,
    close: async () => {
      proxy.clearFaults();
      proxy.setOnCall(undefined);
      await lab.close();
      await proxy.close();
      await setting.close();
    },
  };
}

function configFile(setting: PostgresSetting, proxy: PostgresProxy, options: PostgresLabOptions) {
  const { timings, limits, poolSize = 5, parameters } = options;
  return {
    version: 1,
    integrations: {
      [INTEGRATION]: {
        type: 'postgresql',
        connection: {
          host: proxy.host,
          port: proxy.port,
          database: DATABASE,
          user: ORCHESTRATOR,
          password: 'env:LAB_PASSWORD',
          tls: { mode: 'disable' },
          public_port: setting.server.port,
          pool_size: poolSize,
        },
        limits: { calls_per_second: 1_000, provisions: 20, deprovisions: 20, ...limits },
        timings: { ...QUICK_TIMINGS, ...timings },
        sweep: NO_SCHEDULED_SWEEP,
      },
    },
    projects: {
      [REQUEST.project]: {
        configs: {
          [REQUEST.config]: {
            dynamic_secrets: {
              [REQUEST.dynamicSecret]: {
                integration: INTEGRATION,
                min_ttl: '1s',
                max_ttl: '1h',
                parameters: { roles: [READERS], owner: OWNER, ...parameters },
              },
            },
          },
        },
      },
    },
  };
}
