import { readFile } from 'node:fs/promises';
import { checkServerIdentity } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { IntegrationError } from '../integration';
import type { IntegrationDeps } from '../integration';
import type { TlsSettings } from './connection';
import { resolveSecret } from './secret';

/** What TLS is opened with; false: not at all. Files and key are read anew each time, so renewed ones are in force at once. */
export async function openTls(
  settings: TlsSettings,
  resolve: IntegrationDeps['resolveReference'],
): Promise<ConnectionOptions | false> {
  const { mode, ca_file: ca, certificate_file: certificate, key, server_name: serverName } = settings;
  if (mode === 'disable') return false;
  const own: ConnectionOptions = {
    ...(certificate === undefined ? {} : { cert: await readPem(certificate) }),
    ...(key === undefined ? {} : { key: resolveSecret(key, resolve) }),
  };
  if (mode === 'require') return { ...own, rejectUnauthorized: false };
  const verified = { ...own, rejectUnauthorized: true, ...(ca === undefined ? {} : { ca: await readPem(ca) }) };
  if (mode === 'verify-ca') return { ...verified, checkServerIdentity: () => undefined };
  if (serverName === undefined) return verified;
  return { ...verified, checkServerIdentity: (_, peer) => checkServerIdentity(serverName, peer) };
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    throw new IntegrationError('Refused', {
      operation: 'Connect',
      hint: `The file ${path} cannot be read on this worker.`,
    });
  }
}
