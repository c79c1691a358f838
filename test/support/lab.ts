import { NO_SCHEDULED_SWEEP, openBaseLab, QUICK_TIMINGS } from './base-lab';
import type { BaseLab, ConfigFile } from './base-lab';
import { openAwsAdmin } from './aws-admin';
import type { AwsAdmin } from './aws-admin';
import { startAwsProxy } from './aws-proxy';
import type { AwsProxy } from './aws-proxy';
import { provided } from './stack';

export { eventually, pause } from './base-lab';

/** A base lab with an AWS behind a strict proxy. */
export interface Lab extends BaseLab {
  readonly proxy: AwsProxy;
  readonly aws: AwsAdmin;
}

export interface LabOptions {
  /** Text that every error answer of the provider repeats. */
  readonly echo?: string;
  readonly temporal?: { readonly address: string; readonly namespace: string };
  readonly timings?: Readonly<Record<string, string>>;
  /** Of the integration, beside the lab's own. */
  readonly limits?: Readonly<Record<string, number>>;
  /** Of the dynamic secret, beside the lab's own. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** More for the connection of the integration. */
  readonly connection?: Readonly<Record<string, string>>;
  readonly sweep?: Readonly<Record<string, string>>;
  readonly alerts?: Readonly<Record<string, unknown>>;
  /** Static secrets of the config. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Other top-level parts of the file, e.g. who may use the API. */
  readonly file?: Readonly<Record<string, unknown>>;
}

/** What is leased in a lab. */
export const REQUEST = { project: 'backend', config: 'prd', dynamicSecret: 'S3_READER', holder: 'tester' } as const;

export async function openLab(options: LabOptions = {}): Promise<Lab> {
  const { aws } = provided();
  const proxy = await startAwsProxy({ target: aws.url, ...(options.echo === undefined ? {} : { echo: options.echo }) });
  const lab = await openBaseLab({
    config: configFile(proxy.url, options),
    environment: { LAB_KEY_ID: aws.accessKeyId, LAB_KEY: aws.secretAccessKey, ...options.environment },
    ...(options.temporal === undefined ? {} : { temporal: options.temporal }),
  });
  const admin = openAwsAdmin(aws);
  return {
    ...lab,
    proxy,
    aws: admin,
    close: async () => {
      proxy.clearFaults();
      proxy.setOnCall(undefined);
      await lab.close();
      admin.close();
      await proxy.close();
    },
  };
}

/**
 * A lab for all tests of a file: opened before the first, which `start` makes use of, and closed after the last. What one
 * test did to the provider is undone before the next.
 */
export function useLab(start: (lab: Lab) => Promise<void>, options?: LabOptions): void {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab(options);
    await start(lab);
  }, 60_000);
  afterAll(() => lab.close());
  afterEach(() => {
    lab.proxy.clearFaults();
    lab.proxy.setOnCall(undefined);
  });
}

function configFile(endpoint: string, options: LabOptions): ConfigFile {
  const { timings, limits, parameters, connection, sweep, alerts, secrets, file } = options;
  return {
    version: 1,
    ...file,
    integrations: {
      aws: {
        type: 'aws_iam',
        connection: {
          region: 'us-east-1',
          endpoint,
          credentials: { access_key_id: 'env:LAB_KEY_ID', secret_access_key: 'env:LAB_KEY' },
          ...connection,
        },
        limits: { calls_per_second: 100, provisions: 20, deprovisions: 20, ...limits },
        timings: { ...QUICK_TIMINGS, ...timings },
        sweep: { ...NO_SCHEDULED_SWEEP, ...sweep },
      },
    },
    ...(alerts === undefined ? {} : { alerts }),
    projects: {
      backend: {
        configs: {
          prd: {
            ...(secrets === undefined ? {} : { secrets }),
            dynamic_secrets: {
              S3_READER: {
                integration: 'aws',
                min_ttl: '1s',
                max_ttl: '1h',
                parameters: {
                  policy: {
                    Version: '2012-10-17',
                    Statement: [{ Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' }],
                  },
                  usable_timeout: '5s',
                  ...parameters,
                },
              },
            },
          },
        },
      },
    },
  };
}
