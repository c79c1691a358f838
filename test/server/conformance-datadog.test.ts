import { startDatadogEmulator } from '../../dev/datadog-emulator/datadog-emulator';
import type { DatadogEmulator } from '../../dev/datadog-emulator/datadog-emulator';
import { describeConformance } from '../integrations/conformance';
import type { Bench, BenchOptions, SeenCall } from '../integrations/subject';
import { openBaseLab } from '../support/base-lab';
import type { ConfigFile } from '../support/base-lab';
import { startDatadogProxy } from '../support/datadog-proxy';
import type { DatadogCall } from '../support/datadog-proxy';
import { kindFaults } from '../support/kind-faults';

const SCOPES = ['dashboards_read'];
const REQUEST = { project: 'backend', config: 'prd', dynamicSecret: 'DATADOG' };
const INTEGRATION = 'datadog';
/** Ends the names of keys that are not Leasehold's: Datadog's filter finds these beside the lease's own. */
const ALIEN = '-copy';

const FAULTS = kindFaults({
  refused: { status: 403, code: 'Forbidden' },
  'quota exceeded': { status: 400, code: 'The maximum number of keys is reached' },
  'called invalid': { status: 400, code: 'Invalid request' },
});

describeConformance({ name: 'Datadog', open: openBench });

/** A lease here is a pair: an application key of a service account, and an API key of the same name. */
async function openBench({ timings, slots, echo }: BenchOptions): Promise<Bench> {
  const datadog = await startDatadogEmulator();
  // A conformance run has more leases at once than an organization has API keys at the start.
  datadog.setMaxApiKeys(1_000);
  const proxy = await startDatadogProxy({ target: datadog.url, echo });
  const lab = await openBaseLab({
    config: configFile(proxy.url, datadog, timings, slots),
    environment: { DATADOG_API_KEY: datadog.apiKey, DATADOG_APP_KEY: datadog.applicationKey },
  });

  const of = <Key extends { readonly name: string }>(leaseId: string, keys: readonly Key[]): readonly Key[] =>
    keys.filter(({ name }) => name.includes(leaseId) && !name.endsWith(ALIEN));
  // Past the proxy, which is to see what is done for leases only.
  const ask = (method: string, path: string, apiKey: string, applicationKey: string, body?: object) =>
    fetch(`${datadog.url}${path}`, {
      method,
      headers: { 'dd-api-key': apiKey, 'dd-application-key': applicationKey, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const make = async (path: string, type: string, name: string): Promise<void> => {
    const body = { data: { type, attributes: { name, ...(type === 'api_keys' ? {} : { scopes: SCOPES }) } } };
    const { status } = await ask('POST', path, datadog.apiKey, datadog.applicationKey, body);
    expect(status).toBe(201);
  };
  const remove = async (path: string, keys: readonly { readonly id: string }[]): Promise<void> => {
    for (const { id } of keys) await ask('DELETE', `${path}/${id}`, datadog.apiKey, datadog.applicationKey);
  };
  const removeCredential = (leaseId: string): Promise<void> =>
    remove('/api/v2/application_keys', of(leaseId, datadog.applicationKeys()));

  return {
    lab,
    request: REQUEST,
    // Before it only one key of the pair is there, and that no other will appear is not sure for a long time.
    abort: { operation: 'ListAPIKeys', nth: 2 },
    integration: INTEGRATION,
    secrets: [datadog.apiKey, datadog.applicationKey],
    calls: (leaseId) => proxy.calls.filter(({ entity }) => entity?.includes(leaseId)).map(describeCall),
    fail: (leaseId, { operation, kind, nth = 1, times = 1 }) => {
      // Nothing of the lease must be there for a key to be made, so nothing can be hidden from that: it takes longer at most.
      const isCreation = kind === 'not found' && operation.startsWith('Create');
      const fault = isCreation ? ({ kind: 'delay', delayMs: 500 } as const) : FAULTS[kind];
      proxy.fault({ ...fault, operation, nth, times, entity: leaseId });
    },
    recover: (leaseId) => {
      proxy.clearFaults(leaseId);
    },
    setAway: (away) => {
      proxy.setAway(away);
    },
    onDone: (hook) => {
      proxy.setOnCall(async (_, phase, call) => {
        if (phase === 'body') await hook((leaseId) => call.entity?.includes(leaseId) === true, describeCall(call));
      });
    },
    // Both keys of a pair have the same name.
    entities: async (leaseId) => [
      ...new Set(of(leaseId, [...datadog.apiKeys(), ...datadog.applicationKeys()]).map(({ name }) => name)),
    ],
    credentials: async (leaseId) =>
      Math.max(of(leaseId, datadog.apiKeys()).length, of(leaseId, datadog.applicationKeys()).length),
    works: async ({ API_KEY = '', APP_KEY = '' }) => {
      const sent = await ask('POST', '/api/v2/series', API_KEY, '', { series: [] });
      const read = await ask('GET', '/api/v1/dashboard', API_KEY, APP_KEY);
      return sent.ok && read.ok;
    },
    secretsOf: ({ API_KEY, APP_KEY }) => [API_KEY!, APP_KEY!],
    makeLate: (name) => make('/api/v2/api_keys', 'api_keys', name),
    makeAlien: async (like) => {
      const name = `${like}${ALIEN}`;
      await make('/api/v2/api_keys', 'api_keys', name);
      await make(`/api/v2/service_accounts/${datadog.serviceAccountId}/application_keys`, 'application_keys', name);
      const named = <Key extends { readonly name: string }>(keys: readonly Key[]) =>
        keys.filter((key) => key.name === name);
      return {
        isWhole: async () => named(datadog.apiKeys()).length === 1 && named(datadog.applicationKeys()).length === 1,
        remove: async () => {
          await remove('/api/v2/application_keys', named(datadog.applicationKeys()));
          await remove('/api/v2/api_keys', named(datadog.apiKeys()));
        },
      };
    },
    removeCredential,
    removeEntity: async (leaseId) => {
      await removeCredential(leaseId);
      await remove('/api/v2/api_keys', of(leaseId, datadog.apiKeys()));
    },
    close: async () => {
      proxy.clearFaults();
      proxy.setOnCall(undefined);
      await lab.close();
      await proxy.close();
      await datadog.stop();
    },
  };
}

function describeCall({ operation, sent, fault }: DatadogCall): SeenCall {
  const changes = /^(Create|Update|Delete)/.test(operation);
  return {
    operation,
    // A pair is complete, and of use, with its API key, which is made last.
    effect: operation === 'CreateAPIKey' ? 'credential' : changes ? 'change' : 'none',
    faulty: fault !== null,
    sent,
  };
}

function configFile(
  endpoint: string,
  { serviceAccountId }: DatadogEmulator,
  timings: Readonly<Record<string, string>>,
  slots: number,
): ConfigFile {
  const parameters = { service_account: serviceAccountId, scopes: SCOPES, usable_timeout: '5s' };
  const secret = { integration: INTEGRATION, min_ttl: '1s', max_ttl: '1h', parameters };
  return {
    version: 1,
    integrations: {
      [INTEGRATION]: {
        type: 'datadog',
        connection: { endpoint, api_key: 'env:DATADOG_API_KEY', app_key: 'env:DATADOG_APP_KEY' },
        limits: { calls_per_second: 1_000, provisions: slots, deprovisions: slots },
        timings,
      },
    },
    projects: {
      [REQUEST.project]: { configs: { [REQUEST.config]: { dynamic_secrets: { [REQUEST.dynamicSecret]: secret } } } },
    },
  };
}
