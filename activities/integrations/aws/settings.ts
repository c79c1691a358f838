import { STSClient } from '@aws-sdk/client-sts';
import type { AwsConnection } from './connection';

function ignore(): void {
  return;
}

/** The SDK would otherwise write warnings to the console, past our own log and its redaction. */
export const SILENT_LOGGER = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

/**
 * The SDK's own default is to wait for ever. The connection time-out stays below 2 s on purpose: the SDK then arms its
 * timer at once, so that a process stopped while it connects gives the request up when it wakes instead of sending it.
 */
const REQUEST_HANDLER = {
  connectionTimeout: 1_500,
  requestTimeout: 8_000,
  // An answer may also break off after its head, of which the time-out above knows nothing.
  socketTimeout: 8_000,
  throwOnRequestTimeout: true,
  logger: SILENT_LOGGER,
  // Slots and rate bound what goes on at once. A queue here would hold requests back after their fence let them pass.
  httpAgent: { keepAlive: true, maxSockets: Infinity },
  httpsAgent: { keepAlive: true, maxSockets: Infinity },
} as const;

/** What every AWS client of this integration is opened with. One try a call: Temporal retries, after a look. */
export const CLIENT_DEFAULTS = { maxAttempts: 1, logger: SILENT_LOGGER, requestHandler: REQUEST_HANDLER } as const;

/** For clients whose answers must not all come from the one host that a kept connection leads to. */
export const UNPOOLED = {
  ...REQUEST_HANDLER,
  httpAgent: { keepAlive: false },
  httpsAgent: { keepAlive: false },
} as const;

const FALLBACK_REGION = 'us-east-1';

/** The configured region, else what the SDK finds in environment and profile, else us-east-1. */
export function regionOf(connection: AwsConnection): string | (() => Promise<string>) {
  return connection.region ?? findRegion;
}

export function iamEndpoint(connection: AwsConnection): { endpoint?: string } {
  return connection.endpoint === undefined ? {} : { endpoint: connection.endpoint };
}

export function stsEndpoint(connection: AwsConnection): { endpoint?: string } {
  const endpoint = connection.sts_endpoint ?? connection.endpoint;
  return endpoint === undefined ? {} : { endpoint };
}

async function findRegion(): Promise<string> {
  const probe = new STSClient({});
  try {
    return await probe.config.region();
  } catch {
    // IAM is one per partition and us-east-1 is where AWS's own lives: nothing else has to be configured for it.
    return FALLBACK_REGION;
  } finally {
    probe.destroy();
  }
}
