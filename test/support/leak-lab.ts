import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { escapeIdentifier } from 'pg';
import { startDatadogEmulator } from '../../dev/datadog-emulator/datadog-emulator';
import { startTemporalServer } from '../../dev/temporal-server';
import type { TemporalServer } from '../../dev/temporal-server';
import { startApiProcess } from './api-process';
import type { ApiProcess } from './api-process';
import { startAwsProxy } from './aws-proxy';
import { NO_SCHEDULED_SWEEP, openBaseLab, QUICK_TIMINGS } from './base-lab';
import type { BaseLab } from './base-lab';
import { startDatadogProxy } from './datadog-proxy';
import type { Fault } from './faults';
import { startPostgresProxy } from './postgres-proxy';
import { DATABASE, openPostgresSetting, ORCHESTRATOR, OWNER, READERS } from './postgres-setting';
import { provided } from './stack';
import { startWorkerProcess } from './worker-process';
import type { WorkerProcess } from './worker-process';

/** A provider that repeats a text in every error, and one dynamic secret that is leased from it. */
export interface LeakyProvider {
  readonly dynamicSecret: string;
  /** What is secret of a credential. */
  readonly secretFields: readonly string[];
  /** Operations that were asked for so far. */
  operations(): readonly string[];
  forget(): void;
  fault(fault: Fault): void;
  clearFaults(): void;
  /** With which code it refuses for good, as such providers do. */
  readonly refusal: Pick<Fault, 'status' | 'code'>;
}

/** A Temporal server of its own, all four types of integrations, a worker and an API that log all they can. */
export interface LeakLab extends BaseLab {
  readonly server: TemporalServer;
  readonly providers: readonly LeakyProvider[];
  /** All credentials of orchestrators, by name. */
  readonly admins: ReadonlyMap<string, string>;
  /** Where Temporal keeps what it keeps, and its log. */
  readonly temporalDirectory: string;
  /** What PostgreSQL has logged: each statement of the orchestrator. */
  databaseLog(): Promise<string>;
  /** The TMPDIR of all processes, and where they run. */
  readonly temporary: string;
  readonly work: string;
  readonly auditFile: string;
  startObserved(): Promise<{ readonly worker: WorkerProcess; readonly api: ApiProcess }>;
}

export interface LeakLabOptions {
  readonly echo: string;
  /** Of the API alone. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Top-level parts of the file. */
  readonly file: Readonly<Record<string, unknown>>;
  /** Of the worker alone. */
  readonly environment: Readonly<Record<string, string>>;
}

const SCOPES = ['dashboards_read'];
const ROLE = 'arn:aws:iam::123456789012:role/reports';
const POLICY = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' }],
};

export async function openLeakLab({ echo, secrets, file, environment: own }: LeakLabOptions): Promise<LeakLab> {
  const { tools, aws } = provided();
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-leaks-'));
  const [temporalDirectory, temporary, work] = (await Promise.all(
    ['temporal', 'tmp', 'work'].map(async (name) => {
      await mkdir(join(directory, name));
      return join(directory, name);
    }),
  )) as [string, string, string];
  const [server, setting, emulator] = await Promise.all([
    startTemporalServer({
      binary: tools.temporal,
      databaseFile: join(temporalDirectory, 'temporal.db'),
      headless: true,
      logFile: join(temporalDirectory, 'temporal.log'),
    }),
    openPostgresSetting(),
    startDatadogEmulator(),
  ]);
  await setting.ask(`ALTER ROLE ${escapeIdentifier(ORCHESTRATOR)} SET log_statement = 'all'`);
  const awsProxy = await startAwsProxy({ target: aws.url, echo });
  const databaseProxy = await startPostgresProxy({ target: setting.server, echo });
  const datadogProxy = await startDatadogProxy({ target: emulator.url, echo });
  const credentials = { access_key_id: 'env:LAB_KEY_ID', secret_access_key: 'env:LAB_KEY' };
  const connection = { region: 'us-east-1', endpoint: awsProxy.url, credentials };
  const limits = { calls_per_second: 1_000, provisions: 20, deprovisions: 20 };
  const each = { limits, timings: QUICK_TIMINGS, sweep: NO_SCHEDULED_SWEEP };
  const wanted = { min_ttl: '1s', max_ttl: '1h' };
  const role = { role_arn: ROLE };
  const statics = Object.keys(secrets).map((name) => [name, `env:LAB_STATIC_${name}`]);
  const lab = await openBaseLab({
    temporal: { address: server.address, namespace: server.namespace },
    environment: {},
    config: {
      version: 1,
      ...file,
      integrations: {
        aws: { type: 'aws_iam', connection, ...each },
        sts: { type: 'aws_sts', connection, ...each },
        database: {
          type: 'postgresql',
          connection: {
            host: databaseProxy.host,
            port: databaseProxy.port,
            database: DATABASE,
            user: ORCHESTRATOR,
            password: 'env:LAB_PASSWORD',
            tls: { mode: 'disable' },
            public_port: setting.server.port,
          },
          ...each,
        },
        datadog: {
          type: 'datadog',
          connection: { endpoint: datadogProxy.url, api_key: 'env:LAB_API_KEY', app_key: 'env:LAB_APP_KEY' },
          ...each,
        },
      },
      projects: {
        backend: {
          configs: {
            prd: {
              secrets: Object.fromEntries(statics),
              dynamic_secrets: {
                AWS: { integration: 'aws', ...wanted, parameters: { policy: POLICY, usable_timeout: '5s' } },
                SESSION: { integration: 'sts', ...wanted, min_ttl: '15m', default_ttl: '15m', parameters: role },
                DATABASE: { integration: 'database', ...wanted, parameters: { roles: [READERS], owner: OWNER } },
                DATADOG: {
                  integration: 'datadog',
                  ...wanted,
                  parameters: { service_account: emulator.serviceAccountId, scopes: SCOPES, usable_timeout: '5s' },
                },
              },
            },
          },
        },
      },
    },
  });
  const admins = new Map([
    ["AWS's admin key", aws.secretAccessKey],
    ["PostgreSQL's admin password", setting.password],
    ["Datadog's admin API key", emulator.apiKey],
    ["Datadog's admin application key", emulator.applicationKey],
  ]);
  const auditFile = join(lab.directory, 'audit.jsonl');
  const observed = {
    ...lab.environment,
    LEASEHOLD_AUDIT_FILE: auditFile,
    LEASEHOLD_METRICS: '127.0.0.1:0',
    LEASEHOLD_LOG_LEVEL: 'trace',
    TMPDIR: temporary,
  };
  const place = { directory: work, dumpsCore: false };
  const flags = ['--config', lab.configFile];
  const services: (WorkerProcess | ApiProcess)[] = [];
  const provider = (
    dynamicSecret: string,
    secretFields: readonly string[],
    proxy: Pick<LeakyProvider, 'fault' | 'forget'> & {
      readonly calls: readonly { readonly operation: string }[];
      clearFaults(): void;
    },
    refusal: LeakyProvider['refusal'],
  ): LeakyProvider => ({
    dynamicSecret,
    secretFields,
    operations: () => [...new Set(proxy.calls.map(({ operation }) => operation))],
    forget: () => {
      proxy.forget();
    },
    fault: (fault) => {
      proxy.fault(fault);
    },
    clearFaults: () => {
      proxy.clearFaults();
    },
    refusal,
  });
  const denied = { status: 403, code: 'SignatureDoesNotMatch' };
  return {
    ...lab,
    server,
    admins,
    temporalDirectory,
    databaseLog: () => setting.log(),
    temporary,
    work,
    auditFile,
    providers: [
      provider('AWS', ['SECRET_ACCESS_KEY'], awsProxy, denied),
      provider('SESSION', ['SECRET_ACCESS_KEY', 'SESSION_TOKEN'], awsProxy, denied),
      provider('DATABASE', ['PASSWORD', 'URL'], databaseProxy, { code: '42501' }),
      provider('DATADOG', ['API_KEY', 'APP_KEY'], datadogProxy, { status: 403, code: 'Forbidden' }),
    ],
    startObserved: async () => {
      const worker = await startWorkerProcess(
        flags,
        {
          ...observed,
          ...own,
          LAB_KEY_ID: aws.accessKeyId,
          LAB_KEY: aws.secretAccessKey,
          LAB_PASSWORD: setting.password,
          LAB_API_KEY: emulator.apiKey,
          LAB_APP_KEY: emulator.applicationKey,
        },
        place,
      );
      services.push(worker);
      const ofApi = Object.fromEntries(
        Object.entries(secrets).map(([name, value]) => [`LAB_STATIC_${name}`, value] as const),
      );
      const api = await startApiProcess(flags, { ...observed, ...ofApi }, place);
      services.push(api);
      return { worker, api };
    },
    close: async () => {
      await Promise.all(services.map((service) => service.stop()));
      await lab.close();
      await Promise.all([awsProxy.close(), databaseProxy.close(), datadogProxy.close(), server.stop()]);
      await Promise.all([setting.close(), emulator.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
