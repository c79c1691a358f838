import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { endsWithin } from '../telemetry/ends-within';
import { explainListenFailure, formatAddress } from '../telemetry/listen';

/** An address at which the API cannot be served. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** How long requests under way may take to be answered: longer than an issue takes at most. */
const DRAIN_MS = 80_000;
/** For what those leave to be done whose connections were cut. */
const LAST_MS = 5_000;

/**
 * Takes requests from now on.
 * @param address port 0: any free one.
 * @returns the URL, with the port that it really has.
 * @throws ListenError that says what is in the way.
 */
export async function listen(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  try {
    return await app.listen({ host, port, listenTextResolver: () => '' });
  } catch (error) {
    const where = formatAddress(host, port);
    throw new ListenError(
      `The API cannot be served at ${where} ${explainListenFailure(error)}, with --listen or LEASEHOLD_API.`,
    );
  }
}

/**
 * Takes no more requests and waits until those under way have been answered.
 * @returns whether all were; those that took too long were cut off.
 */
export async function drain(app: FastifyInstance): Promise<boolean> {
  const closed = app.close().then(() => undefined);
  if (await endsWithin(closed, DRAIN_MS)) return true;
  app.server.closeAllConnections();
  await endsWithin(closed, LAST_MS);
  return false;
}

/** Whether only this machine can be reached under a name or address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
