import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeToken } from '../api/identity/token';
import type { AwsEmulator } from './aws-emulator';
import type { DatadogEmulator } from './datadog-emulator/datadog-emulator';
import type { DevelopmentPostgres } from './development-postgres';

/** Where things are leased on a developer's machine. */
export const DEVELOPMENT = { project: 'demo', config: 'dev' } as const;

/** What is leased there: by these names a program finds `AWS_ACCESS_KEY_ID`, `DATABASE_URL` and `DATADOG_API_KEY` in its environment. */
export const LEASABLE = { aws: 'AWS', postgres: 'DATABASE', datadog: 'DATADOG' } as const;

/** The providers of a stack. */
export interface Providers {
  readonly aws: Pick<AwsEmulator, 'url' | 'region' | 'accessKeyId' | 'secretAccessKey'>;
  readonly postgres?: Omit<DevelopmentPostgres, 'ended' | 'stop'>;
  readonly datadog?: Pick<DatadogEmulator, 'url' | 'site' | 'apiKey' | 'applicationKey' | 'serviceAccountId'>;
}

/** Variables in which the worker finds the orchestrator's credentials. */
const ORCHESTRATOR = {
  awsKeyId: 'LEASEHOLD_DEV_AWS_ACCESS_KEY_ID',
  awsKey: 'LEASEHOLD_DEV_AWS_SECRET_ACCESS_KEY',
  postgresPassword: 'LEASEHOLD_DEV_POSTGRES_PASSWORD',
  datadogApiKey: 'LEASEHOLD_DEV_DATADOG_API_KEY',
  datadogApplicationKey: 'LEASEHOLD_DEV_DATADOG_APP_KEY',
} as const;

/** What a worker on that configuration needs in its environment. Secret, and never written. */
export function orchestratorEnvironment({ aws, postgres, datadog }: Providers): Readonly<Record<string, string>> {
  return {
    [ORCHESTRATOR.awsKeyId]: aws.accessKeyId,
    [ORCHESTRATOR.awsKey]: aws.secretAccessKey,
    ...(postgres && { [ORCHESTRATOR.postgresPassword]: postgres.orchestrator.password }),
    ...(datadog && {
      [ORCHESTRATOR.datadogApiKey]: datadog.apiKey,
      [ORCHESTRATOR.datadogApplicationKey]: datadog.applicationKey,
    }),
  };
}

export interface DevelopmentConfig {
  readonly file: string;
  /** For the HTTP API. Only its hash is in the file. */
  readonly token: string;
}

/** Writes the configuration that leases from these providers, with a fresh token. No secret is in it. */
export async function writeDevelopmentConfig(directory: string, providers: Providers): Promise<DevelopmentConfig> {
  const file = join(directory, 'leasehold.dev.yaml');
  const { token, hash } = makeToken('demo');
  await writeFile(file, configText(providers, hash));
  return { file, token };
}

function configText({ aws, postgres, datadog }: Providers, hash: string): string {
  const { project, config } = DEVELOPMENT;
  const parts = [
    awsPart(aws),
    ...(postgres === undefined ? [] : [postgresPart(postgres)]),
    ...(datadog === undefined ? [] : [datadogPart(datadog)]),
  ];
  const all = (kind: keyof Part): string => parts.map((part) => part[kind]).join('');
  return `# Written by the development stack at each start.
version: 1
access:
  tokens:
    demo:
      hash: ${hash}
      scopes: [${project}/${config}]
      rights: [read, lease, revoke-own, admin]
integrations:
${all('integration')}projects:
  ${project}:
    configs:
      ${config}:
        secrets:
${all('secrets')}        dynamic_secrets:
${all('dynamicSecret')}`;
}

/** What one provider adds to the sections of the file. */
interface Part {
  readonly integration: string;
  readonly secrets: string;
  readonly dynamicSecret: string;
}

function awsPart({ url, region }: Providers['aws']): Part {
  return {
    integration: `  aws-emulator:
    type: aws_iam
    connection:
      region: ${region}
      endpoint: ${url}
      # On AWS set permissions_boundary; the emulator knows none.
      credentials:
        access_key_id: env:${ORCHESTRATOR.awsKeyId}
        secret_access_key: env:${ORCHESTRATOR.awsKey}
    limits:
      calls_per_second: 50
    timings:
      # The emulator knows at once what it was told; AWS needs its default of 5 minutes.
      consistency_window: 2s
`,
    secrets: `          # Where the emulator is; with AWS itself the first is left out.
          AWS_ENDPOINT_URL: ${url}
          AWS_REGION: ${region}
`,
    dynamicSecret: `          ${LEASABLE.aws}:
            integration: aws-emulator
            min_ttl: 5s
            parameters:
              policy:
                Version: "2012-10-17"
                Statement:
                  - Effect: Allow
                    Action: s3:ListAllMyBuckets
                    Resource: "*"
`,
  };
}

function postgresPart(postgres: NonNullable<Providers['postgres']>): Part {
  const { host, port, database, tls, namePrefix, orchestrator, group } = postgres;
  return {
    integration: `  postgresql:
    type: postgresql
    connection:
      host: ${JSON.stringify(host)}
      port: ${port}
      database: ${database}
      user: ${orchestrator.user}
      password: env:${ORCHESTRATOR.postgresPassword}
      name_prefix: ${namePrefix}
      tls:
        # A server on this machine; elsewhere leave it out, which verifies the server.
        mode: ${tls.mode}
${tls.ca === null ? '' : `        ca_file: ${JSON.stringify(tls.ca)}\n`}    limits:
      calls_per_second: 50
`,
    secrets: '',
    dynamicSecret: `          ${LEASABLE.postgres}:
            integration: postgresql
            min_ttl: 5s
            parameters:
              roles: [${group}]
              owned: drop
`,
  };
}

function datadogPart({ url, site, serviceAccountId }: NonNullable<Providers['datadog']>): Part {
  return {
    integration: `  datadog-emulator:
    type: datadog
    connection:
      site: ${site}
      endpoint: ${url}
      api_key: env:${ORCHESTRATOR.datadogApiKey}
      app_key: env:${ORCHESTRATOR.datadogApplicationKey}
    limits:
      calls_per_second: 50
    timings:
      # The emulator knows at once what it was told.
      consistency_window: 2s
`,
    secrets: `          # Where the emulator is; with Datadog itself the lease's own SITE says it.
          DD_URL: ${url}
`,
    dynamicSecret: `          ${LEASABLE.datadog}:
            integration: datadog-emulator
            min_ttl: 5s
            parameters:
              keys: both
              service_account: ${serviceAccountId}
              scopes: [dashboards_read]
`,
  };
}
