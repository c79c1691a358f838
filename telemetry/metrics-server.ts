import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { explainListenFailure, formatAddress } from './listen';
import type { Metrics } from './metrics';

export interface MetricsServer {
  /** With the port that it really has. */
  readonly url: string;
  close(): Promise<void>;
}

/** An address on which nothing can be served. */
export class MetricsServerError extends Error {
  override readonly name = 'MetricsServerError';
}

const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Serves metrics at `/metrics`, and at `/healthz` that the process runs. Without authentication: for a network that is trusted.
 * @param address port 0: any free one.
 * @throws MetricsServerError if nothing can listen there.
 */
export async function startMetricsServer(
  address: { host: string; port: number },
  metrics: Metrics,
): Promise<MetricsServer> {
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: 1_000 },
    (request, response) => void answer(request, response, metrics),
  );
  await listen(server, address);
  return { url: urlOf(server), close: () => close(server) };
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function answer(request: IncomingMessage, response: ServerResponse, metrics: Metrics): Promise<void> {
  const { status, body, headers } = await replyTo(request, metrics);
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(body);
}

async function replyTo({ url, method }: IncomingMessage, metrics: Metrics): Promise<Reply> {
  const path = url?.split('?', 1)[0];
  if (path !== '/metrics' && path !== '/healthz') return { status: 404, body: 'There are /metrics and /healthz.' };
  if (method !== 'GET') return { status: 405, body: 'Only GET is answered.', headers: { allow: 'GET' } };
  if (path === '/healthz') return { status: 200, body: 'ok' };
  try {
    const { contentType, body } = await metrics.text();
    return { status: 200, body, headers: { 'content-type': contentType } };
  } catch {
    return { status: 500, body: 'The metrics cannot be read.' };
  }
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new MetricsServerError(
          `Metrics cannot be served at ${formatAddress(host, port)} ${explainListenFailure(error)}, in LEASEHOLD_METRICS.`,
        ),
      );
    });
    server.listen({ host, port }, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    // A scraper keeps its connection open; it would be waited for.
    server.closeAllConnections();
  });
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new MetricsServerError('The metrics server has no address.');
  return `http://${formatAddress(address.address, address.port)}`;
}
