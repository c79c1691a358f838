import { fromIni, fromNodeProviderChain, fromTemporaryCredentials, fromTokenFile } from '@aws-sdk/credential-providers';
import { IntegrationError } from '../integration';
import type { IntegrationDeps } from '../integration';
import { isReference } from '../../../config/reference';
import type { AwsConnection } from './connection';
import { toIntegrationError } from './errors';
import { CLIENT_DEFAULTS, regionOf, SILENT_LOGGER, stsEndpoint } from './settings';

type Identity = Awaited<ReturnType<ReturnType<typeof fromNodeProviderChain>>>;
type Provider = () => Promise<Identity>;
type Resolve = IntegrationDeps['resolveReference'];

/** The orchestrator's own credentials, fetched when first needed and again when they run out or are refused. */
export interface OrchestratorCredentials {
  /** @throws IntegrationError `Refused` when there are none, or what STS answered. */
  readonly provide: Provider;
  /** Forgets what is held, so that a rotated file, profile or role session is picked up by the next call. */
  readonly forget: () => void;
}

/** Sessions are renewed this long before they end. */
const RENEW_BEFORE_MS = 5 * 60_000;

/** How long credentials that name no end are held. */
const HOLD_MS = 60_000;

export function openCredentials(connection: AwsConnection, resolve: Resolve): OrchestratorCredentials {
  let provider = openProvider(connection, resolve);
  let held: { readonly identity: Identity; readonly renewAt: number } | undefined;
  let pending: Promise<Identity> | undefined;

  async function fetchIdentity(): Promise<Identity> {
    try {
      const identity = await provider();
      const end = identity.expiration?.getTime();
      held = { identity, renewAt: end === undefined ? Date.now() + HOLD_MS : end - RENEW_BEFORE_MS };
      return identity;
    } catch (error) {
      throw describeFailure(error);
    }
  }

  function fetchOnce(): Promise<Identity> {
    pending ??= fetchIdentity().finally(() => {
      pending = undefined;
    });
    return pending;
  }

  return {
    async provide() {
      const identity = held !== undefined && Date.now() < held.renewAt ? held.identity : await fetchOnce();
      // The SDK keeps what it is given until five minutes before its end. Told that the end is near it asks here before
      // each call, where it can be forgotten.
      return { ...identity, expiration: new Date(Date.now() + HOLD_MS) };
    },
    forget() {
      held = undefined;
      provider = openProvider(connection, resolve);
    },
  };
}

function openProvider(connection: AwsConnection, resolve: Resolve): Provider {
  const source = openSource(connection, resolve);
  const role = connection.credentials.assume_role;
  if (role === undefined) return source;
  return async () =>
    fromTemporaryCredentials({
      masterCredentials: source,
      clientConfig: stsConfig(connection),
      logger: SILENT_LOGGER,
      params: {
        RoleArn: role.role_arn,
        RoleSessionName: role.session_name ?? 'leasehold',
        ...(role.external_id === undefined ? {} : { ExternalId: resolveExternalId(role.external_id, resolve) }),
        ...(role.duration_seconds === undefined ? {} : { DurationSeconds: role.duration_seconds }),
      },
    })();
}

function openSource(connection: AwsConnection, resolve: Resolve): Provider {
  const { profile, access_key_id: keyId, secret_access_key: key, session_token: token } = connection.credentials;
  const identity = connection.credentials.web_identity;
  const shared = { clientConfig: stsConfig(connection), logger: SILENT_LOGGER };
  if (profile !== undefined) return fromIni({ ...shared, profile, ignoreCache: true });
  if (identity !== undefined) {
    return fromTokenFile({
      ...shared,
      roleArn: identity.role_arn,
      webIdentityTokenFile: identity.token_file,
      roleSessionName: identity.session_name ?? 'leasehold',
    });
  }
  if (keyId === undefined || key === undefined) return fromNodeProviderChain(shared);
  return () =>
    Promise.resolve({
      accessKeyId: resolveSecret(keyId, resolve),
      secretAccessKey: resolveSecret(key, resolve),
      ...(token === undefined ? {} : { sessionToken: resolveSecret(token, resolve) }),
      // Read again before each call: a rotated file is in force at once.
      expiration: new Date(Date.now() + HOLD_MS),
    });
}

function stsConfig(connection: AwsConnection) {
  return { ...CLIENT_DEFAULTS, ...stsEndpoint(connection), region: regionOf(connection) };
}

export function resolveExternalId(text: string, resolve: Resolve): string {
  return isReference(text) ? resolveSecret(text, resolve) : text;
}

function resolveSecret(reference: string, resolve: Resolve): string {
  try {
    return resolve(reference);
  } catch {
    throw unusable(`The reference ${reference} could not be resolved on this worker.`);
  }
}

function describeFailure(error: unknown): IntegrationError {
  if (error instanceof IntegrationError) return error;
  if (error instanceof Error && error.name.endsWith('ProviderError')) {
    return unusable('No credentials were found for the orchestrator: see "credentials" of the integration.');
  }
  return toIntegrationError(error, { operation: 'GetCredentials' });
}

function unusable(hint: string): IntegrationError {
  return new IntegrationError('Refused', { operation: 'GetCredentials', hint });
}
