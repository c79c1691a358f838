import { DATABASE, ORCHESTRATOR, OWNER, READERS } from '../support/postgres-setting';
import type { IntegrationName } from './plan-types';

export const PROJECT = 'backend';
export const CONFIG = 'prd';
export const DYNAMIC_SECRETS: Readonly<Record<IntegrationName, string>> = {
  aws: 'S3_READER',
  database: 'DATABASE',
  datadog: 'DATADOG',
};

/** Where the providers are reached by the workers, and by holders. */
export interface Places {
  readonly aws: { readonly endpoint: string };
  readonly database: { readonly host: string; readonly port: number; readonly publicPort: number };
  readonly datadog: { readonly endpoint: string; readonly serviceAccount: string };
  readonly webhook: string;
  /** How many leases of an integration a worker makes at once. */
  readonly provisions: number;
  /** Of the tokens, by their names. */
  readonly tokenHashes: Readonly<Record<string, string>>;
}

/** Quick enough for a run of a minute, and with time-outs that a process can be stopped for longer than. */
const TIMINGS = {
  issue_timeout: '20s',
  attempt_timeout: '8s',
  heartbeat_timeout: '3s',
  consistency_window: '2s',
  stuck_after: '3s',
};
const SWEEP = { every: '10s', grace: '1s', overdue_after: '5s' };

/** @param edition any other number makes it another configuration. */
export function configText(places: Places, edition: number): string {
  const common = {
    limits: { calls_per_second: 100 + (edition % 100), provisions: places.provisions, deprovisions: 20 },
    timings: TIMINGS,
    sweep: SWEEP,
  };
  const dynamicSecret = (integration: IntegrationName, parameters: object): object => ({
    [DYNAMIC_SECRETS[integration]]: {
      integration,
      min_ttl: '1s',
      default_ttl: '30s',
      max_ttl: '2m',
      parameters,
    },
  });
  return JSON.stringify({
    version: 1,
    integrations: {
      aws: {
        type: 'aws_iam',
        connection: {
          region: 'us-east-1',
          endpoint: places.aws.endpoint,
          credentials: { access_key_id: 'env:WORLD_KEY_ID', secret_access_key: 'env:WORLD_KEY' },
        },
        ...common,
      },
      database: {
        type: 'postgresql',
        connection: {
          host: places.database.host,
          port: places.database.port,
          public_port: places.database.publicPort,
          database: DATABASE,
          user: ORCHESTRATOR,
          password: 'env:WORLD_PASSWORD',
          tls: { mode: 'disable' },
          pool_size: 5,
        },
        ...common,
      },
      datadog: {
        type: 'datadog',
        connection: { endpoint: places.datadog.endpoint, api_key: 'env:WORLD_API', app_key: 'env:WORLD_APP' },
        ...common,
      },
    },
    alerts: { webhooks: [{ url: places.webhook, format: 'json' }] },
    access: {
      tokens: Object.fromEntries(
        Object.entries(places.tokenHashes).map(([name, hash]) => [
          name,
          {
            hash,
            // Of a revoke of many leases its reach is not to be the question.
            scopes: [name === 'admin' ? '*' : `${PROJECT}/${CONFIG}`],
            rights: ['read', 'lease', 'revoke-own', ...(name === 'admin' ? ['admin'] : [])],
          },
        ]),
      ),
    },
    api: { requests_per_minute: 1_000_000 },
    projects: {
      [PROJECT]: {
        configs: {
          [CONFIG]: {
            dynamic_secrets: {
              ...dynamicSecret('aws', {
                policy: {
                  Version: '2012-10-17',
                  Statement: [{ Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' }],
                },
                usable_timeout: '5s',
              }),
              ...dynamicSecret('database', { roles: [READERS], owner: OWNER }),
              ...dynamicSecret('datadog', {
                service_account: places.datadog.serviceAccount,
                scopes: ['dashboards_read'],
                usable_timeout: '5s',
              }),
            },
          },
        },
      },
    },
  });
}

/** What an operator's slip of the pen makes of it. */
export function invalidConfigText(): string {
  return '{ "version": 1, "integrations": { "aws": { "type": "aws_iam", "limits": { "calls_per_second": -1 } } } }';
}
