import { loadClient } from '../../activities/integrations/datadog/client';
import { connectDatadog, datadog } from '../../activities/integrations/datadog/datadog';
import { PACE } from '../../activities/integrations/datadog/pace';
import type { Attempt, Facts, Integration, Made, Removal } from '../../activities/integrations/integration';
import { startDatadogEmulator } from '../../dev/datadog-emulator/datadog-emulator';
import type { DatadogEmulator } from '../../dev/datadog-emulator/datadog-emulator';
import { randomLeaseId } from '../../client/lease-id';
import type { Handle } from '../../workflows/contract';
import { createFakeFence } from './fake-fence';
import type { FakeFence } from './fake-fence';

/** A Datadog organization of one test file, and the integration on it. */
export interface DatadogSetting {
  readonly emulator: DatadogEmulator;
  readonly integration: Integration;
  /** How often the integration asked its rate. */
  throttled(): number;
  /** The integration once more, with other settings; closed with the rest. */
  open(settings: object, secrets?: Readonly<Record<string, string>>): Integration;
  /** @param parameters as in the configuration file. */
  lease(parameters?: object, integration?: Integration): DatadogLease;
  /** Names of all keys whose name contains a text: API keys, then application keys. */
  names(text: string): { readonly api: string[]; readonly application: string[] };
  /** As somebody else would, past the integration. @param account default: the emulator's own service account */
  makeApiKey(name: string): Promise<void>;
  makeApplicationKey(name: string, account?: string): Promise<void>;
  /** Deletes all keys of exactly this name by hand. */
  deleteKeys(kind: 'api' | 'application', name: string): Promise<void>;
  /** Renames them. @param keys whose right it is used by; default: the orchestrator's own */
  renameKeys(kind: 'api' | 'application', name: string, to: string, keys?: OwnKeys): Promise<void>;
  close(): Promise<void>;
}

/** What a call is authenticated with. */
type OwnKeys = Pick<DatadogEmulator, 'apiKey' | 'applicationKey'>;

/** One lease's dealings with the integration, without a workflow. */
export interface DatadogLease {
  readonly leaseId: string;
  readonly name: string;
  readonly handle: Handle;
  provision(attempt?: AttemptOptions): Promise<Made>;
  extend(attempt?: AttemptOptions): Promise<void>;
  /** With the facts that its provision told, as a workflow gives them. */
  deprovision(attempt?: AttemptOptions & { readonly facts?: Facts }): Promise<Removal>;
}

export interface AttemptOptions {
  readonly fence?: FakeFence;
  /** Milliseconds until the attempt is over. Default 20 s. */
  readonly withinMs?: number;
}

export const DEPLOYMENT = 'testdepl';

/** As patient as the real pace in kind, and faster. */
const QUICK = { ...PACE, firstPauseMs: 10, longestPauseMs: 80, usableEveryMs: 5, reserveMs: 50 };

const EXPIRY = new Date('2031-02-03T04:05:06.000Z');

/** The first of a file takes its time: the client has thousands of modules, which are loaded before any test begins. */
export const SETTING_TIMEOUT_MS = 180_000;

export async function openDatadogSetting(): Promise<DatadogSetting> {
  await loadClient('Opening a setting');
  const emulator = await startDatadogEmulator();
  const opened: Integration[] = [];
  let asked = 0;
  const open = (
    settings: object,
    secrets: Readonly<Record<string, string>> = { 'env:API': emulator.apiKey, 'env:APP': emulator.applicationKey },
  ): Integration => {
    const connection = datadog.connection.parse({
      endpoint: emulator.url,
      api_key: 'env:API',
      app_key: 'env:APP',
      ...settings,
    });
    const integration = connectDatadog(
      connection,
      {
        resolveReference: (reference) => {
          const value = secrets[reference];
          if (value === undefined) throw new Error(`There is no ${reference}.`);
          return value;
        },
        throttle: (signal) => {
          asked += 1;
          signal.throwIfAborted();
          return Promise.resolve();
        },
      },
      QUICK,
    );
    opened.push(integration);
    return integration;
  };
  const whole = open({});
  const ask = async (
    method: 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    { apiKey, applicationKey }: OwnKeys = emulator,
  ): Promise<void> => {
    const answer = await fetch(`${emulator.url}/api/v2/${path}`, {
      method,
      headers: {
        'DD-API-KEY': apiKey,
        'DD-APPLICATION-KEY': applicationKey,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}`);
  };
  /** Kind of key, as Datadog's paths and types have it, and those of this name. */
  const named = (kind: 'api' | 'application', name: string) => {
    const keys = kind === 'api' ? emulator.apiKeys() : emulator.applicationKeys();
    return { type: `${kind}_keys`, ids: keys.filter((key) => key.name === name).map(({ id }) => id) };
  };
  return {
    emulator,
    integration: whole,
    throttled: () => asked,
    open,
    lease: (given, integration = whole) =>
      openLease(integration, given ?? { service_account: emulator.serviceAccountId, scopes: ['dashboards_read'] }),
    names: (text) => {
      const matching = (keys: readonly { readonly name: string }[]) =>
        keys.map(({ name }) => name).filter((name) => name.includes(text));
      return { api: matching(emulator.apiKeys()), application: matching(emulator.applicationKeys()) };
    },
    makeApiKey: (name) => ask('POST', 'api_keys', { data: { type: 'api_keys', attributes: { name } } }),
    makeApplicationKey: (name, account = emulator.serviceAccountId) =>
      ask('POST', `service_accounts/${account}/application_keys`, {
        data: { type: 'application_keys', attributes: { name } },
      }),
    deleteKeys: async (kind, name) => {
      const { type, ids } = named(kind, name);
      for (const id of ids) await ask('DELETE', `${type}/${id}`);
    },
    renameKeys: async (kind, name, to, keys) => {
      const { type, ids } = named(kind, name);
      for (const id of ids) {
        await ask('PATCH', `${type}/${id}`, { data: { type, id, attributes: { name: to } } }, keys);
      }
    },
    close: async () => {
      for (const integration of opened) integration.close();
      await emulator.stop();
    },
  };
}

function openLease(integration: Integration, given: object): DatadogLease {
  const parameters = datadog.parameters.parse({ usable_timeout: '15s', ...given });
  const leaseId = randomLeaseId();
  const connection = datadog.connection.parse({ api_key: 'env:API', app_key: 'env:APP' });
  const { entity, handle } = datadog.plan(
    { deployment: DEPLOYMENT, leaseId, integration: 'datadog', ttlMs: 60_000, issueTimeoutMs: 60_000 },
    connection,
    parameters,
  );
  let told: Facts | undefined;
  const attempt = ({ fence = createFakeFence(), withinMs = 20_000 }: AttemptOptions = {}): Attempt => ({
    deployment: DEPLOYMENT,
    leaseId,
    fence,
    deadline: new Date(Date.now() + withinMs),
  });
  return {
    leaseId,
    name: entity,
    handle,
    provision: async (options) => {
      const made = await integration.provision(handle, parameters, EXPIRY, attempt(options));
      told = made.facts;
      return made;
    },
    extend: (options) => integration.extend(handle, EXPIRY, attempt(options)),
    deprovision: (options) => integration.deprovision(handle, attempt(options), options?.facts ?? told),
  };
}
