import { loadClient as loadOrTell } from '../lazy-client';

/** What is used of `@datadog/datadog-api-client`. */
export type DatadogClient = Awaited<ReturnType<typeof load>>;

let loaded: Promise<DatadogClient> | undefined;

/**
 * Loads Datadog's client at its first use in the process: it takes a second and a hundred megabytes, which nobody is to
 * pay who leases no Datadog keys.
 * @throws IntegrationError `Refused` when it is not installed, or not as it is known here.
 */
export function loadClient(operation: string): Promise<DatadogClient> {
  loaded ??= load().catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  const loading = loaded;
  return loadOrTell('datadog', () => loading, operation);
}

/** The client's log, of whose kind no types are installed. */
interface Log {
  setLevel(level: 'silent', isKept: boolean): void;
}

/** The parts alone, not the whole package: that would take a third more memory. */
async function load() {
  const [common, log, keys, accounts, users, authentication] = await Promise.all([
    import('@datadog/datadog-api-client/dist/packages/datadog-api-client-common/index.js'),
    import('@datadog/datadog-api-client/dist/logger.js'),
    import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/KeyManagementApi.js'),
    import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/ServiceAccountsApi.js'),
    import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/apis/UsersApi.js'),
    import('@datadog/datadog-api-client/dist/packages/datadog-api-client-v1/apis/AuthenticationApi.js'),
  ]);
  // It would write requests and failures to the console, past our own log and its redaction.
  (log.logger as Log).setLevel('silent', false);
  return {
    createConfiguration: common.createConfiguration,
    BaseServerConfiguration: common.BaseServerConfiguration,
    ResponseContext: common.ResponseContext,
    KeyManagementApi: keys.KeyManagementApi,
    ServiceAccountsApi: accounts.ServiceAccountsApi,
    UsersApi: users.UsersApi,
    AuthenticationApi: authentication.AuthenticationApi,
  };
}
