import { fromIni, fromNodeProviderChain, fromTemporaryCredentials, fromTokenFile } from '@aws-sdk/credential-providers';
import type { IntegrationDeps } from '../integration';
import { isReference } from '../../../config/reference';
import type { AwsConnection } from './connection';
import { unresolved } from './credential-errors';
import { CLIENT_DEFAULTS, regionOf, SILENT_LOGGER, stsEndpoint } from './settings';

export type Identity = Awaited<ReturnType<ReturnType<typeof fromNodeProviderChain>>>;
export type CredentialSource = () => Promise<Identity>;
export type Resolve = IntegrationDeps['resolveReference'];

/**
 * Gets the orchestrator's own credentials from where the configuration says. All is opened anew: the SDK's sources remember
 * what they gave, and have whoever asks again wait for an answer that was asked for before.
 */
export async function fetchIdentity(connection: AwsConnection, resolve: Resolve): Promise<Identity> {
  const source = openSource(connection, resolve);
  const role = connection.credentials.assume_role;
  if (role === undefined) return source();
  const assume = fromTemporaryCredentials({
    masterCredentials: source,
    clientConfig: stsConfig(connection),
    logger: SILENT_LOGGER,
    params: {
      RoleArn: role.role_arn,
      RoleSessionName: role.session_name ?? 'leasehold',
      ...(role.external_id === undefined ? {} : { ExternalId: resolveExternalId(role.external_id, resolve) }),
      ...(role.duration_seconds === undefined ? {} : { DurationSeconds: role.duration_seconds }),
    },
  });
  return assume();
}

function openSource(connection: AwsConnection, resolve: Resolve): CredentialSource {
  const { profile, access_key_id: keyId, secret_access_key: key, session_token: token } = connection.credentials;
  const identity = connection.credentials.web_identity;
  const shared = { clientConfig: stsConfig(connection), logger: SILENT_LOGGER };
  // The SDK otherwise reads the shared files once in the life of the process.
  const reread = { ...shared, ignoreCache: true };
  if (profile !== undefined) return fromIni({ ...reread, profile });
  if (identity !== undefined) {
    return fromTokenFile({
      ...shared,
      roleArn: identity.role_arn,
      webIdentityTokenFile: identity.token_file,
      roleSessionName: identity.session_name ?? 'leasehold',
    });
  }
  if (keyId === undefined || key === undefined) return fromNodeProviderChain(reread);
  return () =>
    Promise.resolve({
      accessKeyId: resolveSecret(keyId, resolve),
      secretAccessKey: resolveSecret(key, resolve),
      ...(token === undefined ? {} : { sessionToken: resolveSecret(token, resolve) }),
      // As if they ended: read again before each call, so that a rotated file is in force at once.
      expiration: new Date(),
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
    throw unresolved(reference);
  }
}
