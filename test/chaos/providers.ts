import { join } from 'node:path';
import { allOrNone } from '../../dev/all-or-none';
import { startAwsEmulator } from '../../dev/aws-emulator';
import type { AwsEmulator } from '../../dev/aws-emulator';
import { tryIdentity } from '../../dev/aws-calls';
import { tryKeyPair } from '../../dev/datadog-calls';
import { startDatadogEmulator } from '../../dev/datadog-emulator/datadog-emulator';
import type { DatadogEmulator } from '../../dev/datadog-emulator/datadog-emulator';
import { tryQuery } from '../../dev/postgres-calls';
import { startAwsProxy } from '../support/aws-proxy';
import type { CallPhase } from '../support/fault-proxy';
import { startDatadogProxy } from '../support/datadog-proxy';
import { openPostgresSetting } from '../support/postgres-setting';
import type { PostgresSetting } from '../support/postgres-setting';
import { startPostgresProxy } from '../support/postgres-proxy';
import { effectOf, isLook, leaseIdOf } from './deeds';
import { openAwsHoldings } from './holding-aws';
import { keysOf } from './holding-datadog';
import { rolesOf } from './holding-postgres';
import type { Pauses } from './pauses';
import type { IntegrationName } from './plan-types';
import type { DeedSeen, EntitySeen } from './trace';
import { createWeather } from './weather';
import type { Call, Proxy, Weather } from './weather';
import type { Places } from './world-config';

type Credential = Readonly<Record<string, string>>;

/** A provider, what lies between it and the workers, and what can be known of it past that. */
export interface Provider {
  readonly weather: Weather;
  entities(): Promise<readonly EntitySeen[]>;
  use(credential: Credential): Promise<string>;
  identityOf(credential: Credential): string;
}

export interface Providers {
  readonly places: Pick<Places, IntegrationName>;
  readonly byName: Readonly<Record<IntegrationName, Provider>>;
  /** The orchestrator's credentials, by the variables that the configuration refers to. */
  readonly environment: Readonly<Record<string, string>>;
  /** What of them is secret, by what it is. */
  readonly secrets: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

export interface ProvidersOptions {
  /** `moto_server` */
  readonly moto: string;
  readonly directory: string;
  readonly pauses: Pauses;
  /** Known once Temporal is. */
  readonly deployment: () => string;
  readonly onDeed: (deed: DeedSeen) => void;
}

/** So many keys that no run comes to the limit. */
const ENOUGH_KEYS = 10_000;

export async function openProviders(options: ProvidersOptions): Promise<Providers> {
  const { moto, directory, pauses, deployment, onDeed } = options;
  const servers = await allOrNone<{ aws: AwsEmulator; postgres: PostgresSetting; datadog: DatadogEmulator }>({
    aws: startAwsEmulator({ binary: moto, logFile: join(directory, 'aws-emulator.log') }),
    postgres: openPostgresSetting().then((setting) => Object.assign(setting, { stop: () => setting.close() })),
    datadog: startDatadogEmulator(),
  });
  const { aws, postgres, datadog } = servers.parts;
  datadog.setMaxApiKeys(ENOUGH_KEYS);
  datadog.setMaxApplicationKeysPerUser(ENOUGH_KEYS);
  const awsProxy = await startAwsProxy({ target: aws.url, pageSize: 100 });
  const postgresProxy = await startPostgresProxy({ target: postgres.server });
  const datadogProxy = await startDatadogProxy({ target: datadog.url });
  const holdings = openAwsHoldings(aws);
  const roles = rolesOf(postgres);

  function weatherOf(
    integration: IntegrationName,
    proxy: Proxy,
    also: (call: Call, phase: CallPhase) => void = () => undefined,
  ): Weather {
    const told = new WeakSet<Call>();
    return createWeather(proxy, {
      pauses,
      effectOf: (operation) => effectOf(integration, operation),
      isLook: (operation) => isLook(integration, operation),
      onChange: (call, phase, effect) => {
        also(call, phase);
        if (phase === 'before' || told.has(call)) return;
        told.add(call);
        const { operation, entity, at, askedAt = at.getTime(), done = false } = call;
        const leaseId = entity === null ? null : leaseIdOf(deployment(), entity);
        onDeed({ integration, operation, entity, leaseId, at: askedAt, effect, done });
      },
    });
  }

  const place = { url: aws.url, region: aws.region };
  const byName: Record<IntegrationName, Provider> = {
    aws: {
      weather: weatherOf('aws', awsProxy, (call, phase) => {
        holdings.changes(call, phase);
      }),
      entities: () => holdings.entities(deployment()),
      use: (credential) => tryIdentity(place, credential),
      identityOf: ({ ACCESS_KEY_ID: id = '' }) => id,
    },
    database: {
      weather: weatherOf('database', postgresProxy),
      entities: () => roles(deployment()),
      use: ({ URL: url = '' }) => tryQuery(url, 'SELECT 1'),
      identityOf: ({ USER: role = '' }) => role,
    },
    datadog: {
      weather: weatherOf('datadog', datadogProxy),
      entities: () => Promise.resolve(keysOf(datadog, deployment())),
      use: (credential) => tryKeyPair(datadog.url, credential),
      identityOf: ({ API_KEY: apiKey = '', APP_KEY: appKey = '' }) =>
        [apiKey, appKey].map((key) => datadog.idOf(key) ?? '').join(','),
    },
  };
  return {
    places: {
      aws: { endpoint: awsProxy.url },
      database: { host: postgresProxy.host, port: postgresProxy.port, publicPort: postgres.server.port },
      datadog: { endpoint: datadogProxy.url, serviceAccount: datadog.serviceAccountId },
    },
    byName,
    environment: {
      WORLD_KEY_ID: aws.accessKeyId,
      WORLD_KEY: aws.secretAccessKey,
      WORLD_PASSWORD: postgres.password,
      WORLD_API: datadog.apiKey,
      WORLD_APP: datadog.applicationKey,
    },
    secrets: new Map([
      ['secret key of the orchestrator at AWS', aws.secretAccessKey],
      ['password of the orchestrator at PostgreSQL', postgres.password],
      ['API key of the orchestrator at Datadog', datadog.apiKey],
      ['application key of the orchestrator at Datadog', datadog.applicationKey],
    ]),
    close: async () => {
      holdings.close();
      await Promise.all([awsProxy.close(), postgresProxy.close(), datadogProxy.close()]);
      await servers.stop();
    },
  };
}
