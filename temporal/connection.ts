import { Connection } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { explainFailure, grpcStatusOf } from './service';

/** Temporal is not reachable or not usable as configured. Never holds an API key, a certificate or metadata. */
export class TemporalError extends Error {
  override readonly name = 'TemporalError';
}

export interface ConnectionSettings {
  readonly connectionOptions: ClientConnectConfig['connectionOptions'];
  readonly namespace: string;
}

export interface ConnectOptions {
  /** A profile of Temporal's own configuration file. Default: TEMPORAL_PROFILE, else `default`. */
  readonly profile?: string;
  /** Default: TEMPORAL_NAMESPACE or the profile's, else `default`. */
  readonly namespace?: string;
  /** Longest wait for the connection, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
}

/** A lost server is looked for again after at most so long; by default the pauses grow to two minutes. */
export const CHANNEL_ARGS = {
  'grpc.initial_reconnect_backoff_ms': 500,
  'grpc.max_reconnect_backoff_ms': 2_000,
} as const;

const CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_ADDRESS = 'localhost:7233';
const WHY =
  'Does a server listen there, does it want TLS or a client certificate, and is its own certificate believed?';
const API_KEY = /^[!-~]*$/;
const VARIABLES =
  'The connection is set by TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS and the TEMPORAL_TLS_* variables.';

/**
 * The connection as Temporal's environment variables and configuration file set it.
 * @throws TemporalError if they cannot be read, or the API key cannot be one.
 */
export function loadConnectionOptions(options: ConnectOptions = {}): ConnectionSettings {
  const { profile } = options;
  let loaded: ClientConnectConfig;
  try {
    loaded = loadClientConnectConfig(profile === undefined ? {} : { profile });
  } catch {
    // What was thrown may quote a line of the file, and with it a key.
    const lacking = profile === undefined ? '' : `, or there is no profile ${JSON.stringify(profile)}`;
    throw new TemporalError(
      `Temporal's configuration cannot be read: its file (TEMPORAL_CONFIG_FILE) or one named by TEMPORAL_TLS_* is malformed or missing${lacking}. ${VARIABLES}`,
    );
  }
  // It becomes a header. With the line break that `echo` leaves it would be told as a server that is not there.
  if (!API_KEY.test(loaded.connectionOptions.apiKey ?? '')) {
    throw new TemporalError(
      'TEMPORAL_API_KEY has a character that no key has: a blank, a line break or the like, maybe at its end. Set it without.',
    );
  }
  return {
    connectionOptions: loaded.connectionOptions,
    namespace: options.namespace ?? loaded.namespace ?? 'default',
  };
}

/**
 * A connection as configured, which is made when it is first used.
 * @throws TemporalError if it cannot be configured so.
 */
export function openConnection(options: ConnectOptions = {}): {
  readonly connection: Connection;
  readonly namespace: string;
} {
  const { connectionOptions, namespace } = loadConnectionOptions(options);
  const connectTimeout = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const settings = { ...connectionOptions, connectTimeout, channelArgs: CHANNEL_ARGS } as ConnectionOptions;
  try {
    return { connection: Connection.lazy(settings), namespace };
  } catch {
    throw connectFailure(null, connectionOptions.address, namespace);
  }
}

/**
 * Connects as configured.
 * @throws TemporalError, within `connectTimeoutMs`, if there is no server or it refuses.
 */
export async function connect(
  options: ConnectOptions = {},
): Promise<{ readonly connection: Connection; readonly namespace: string }> {
  const { connection, namespace } = openConnection(options);
  try {
    await ensureConnected(connection, namespace);
    return { connection, namespace };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/**
 * Makes sure that a server answers, within the connection's own `connectTimeout` (10 s unless it was made otherwise).
 * @throws TemporalError
 */
export async function ensureConnected(connection: Connection, namespace: string): Promise<void> {
  try {
    await connection.ensureConnected();
  } catch (error) {
    throw connectFailure(error, connection.options.address, namespace);
  }
}

/** The error for a connection that did not come about: names where to and how that is set, and nothing secret. */
export function connectFailure(error: unknown, address: string | undefined, namespace: string): TemporalError {
  const where = (address ?? DEFAULT_ADDRESS).replace(/[^\x21-\x7e]/g, '?');
  const refused = ['permissionDenied', 'unauthenticated'].includes(grpcStatusOf(error) ?? '');
  const why = refused ? explainFailure(error) : WHY;
  return new TemporalError(
    `No connection to Temporal at ${where} (namespace ${JSON.stringify(namespace)}). ${why} ${VARIABLES}`,
  );
}
