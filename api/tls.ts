import type { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { Server } from 'node:https';
import { FileError, readTextFile } from '../config/file';
import { ConfigError } from '../config/load';
import type { ApiSettings } from '../config/load';
import type { FastifyInstance } from 'fastify';

/** PEM of the certificate chain and of its key. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

const MAX_BYTES = 256 * 1024;

/**
 * Reads certificate and key; null: there are none to be used.
 * @param source names the configuration in errors.
 * @throws ConfigError without anything of their content.
 */
export function readTls({ tls }: ApiSettings, source: string): TlsFiles | null {
  if (tls === null) return null;
  const files = {
    cert: readPem(tls.certificate, 'api.tls.certificate', source),
    key: readPem(tls.key, 'api.tls.key', source),
  };
  try {
    createSecureContext(secured(files));
  } catch {
    // What OpenSSL says is no help, and nobody promises that it quotes nothing.
    throw tlsError(
      source,
      'api.tls',
      `${tls.certificate} and ${tls.key} cannot be used together: they must be PEM, a certificate with its chain and the key that belongs to it, without a passphrase`,
    );
  }
  return files;
}

/** From now on new connections get this certificate. */
export function renewTls(app: FastifyInstance, files: TlsFiles): void {
  if (app.server instanceof Server) app.server.setSecureContext(secured(files));
}

/**
 * Closes connections on which TLS was not agreed upon, at once: Node leaves one on which nothing comes at all to its owner, and an answer
 * on it would wait for ever for a handshake, and each stop of the process for that.
 */
export function closeUnagreed(app: FastifyInstance): void {
  // Before Node's own listener, which has the connection answered.
  app.server.prependListener('tlsClientError', (_: Error, socket: Socket) => {
    socket.destroy();
  });
}

/** Never older than TLS 1.2. */
export function secured(files: TlsFiles): SecureContextOptions {
  return { ...files, minVersion: 'TLSv1.2' };
}

function readPem(file: string, path: string, source: string): string {
  try {
    return readTextFile(file, MAX_BYTES);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw tlsError(source, path, `${file} ${error.message}`);
  }
}

function tlsError(source: string, path: string, message: string): ConfigError {
  return new ConfigError(source, [{ path, message }]);
}
