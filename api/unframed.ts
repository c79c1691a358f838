import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';

// Doppler's node SDK sends the body of a DELETE without saying that there is one: neither Content-Length nor Transfer-Encoding,
// the JSON just follows. Node reads a DELETE without a body and then chokes on what it takes for the next request.
//
// No request can be smuggled in by this: what is taken for the body is what the parser has refused, it begins with a brace, as no
// request does, it must be JSON to its very end, and the connection is closed after the answer.

/** What Node's server says of a connection that it cannot go on with. */
interface ClientError extends NodeJS.ErrnoException {
  readonly rawPacket?: unknown;
  readonly bytesParsed?: unknown;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface UnframedBodies {
  /** Node's `clientError`. */
  readonly onClientError: (error: ClientError, socket: Socket) => void;
  /** To be called before any other hook is added. */
  readonly install: (app: FastifyInstance) => void;
}

const MAX_BYTES = 64 * 1024;
const BRACE = 0x7b;

/** @param otherwise answers everything else that the parser chokes on. */
export function acceptUnframedBodies(otherwise: (error: ClientError, socket: Socket) => void): UnframedBodies {
  const latest = new WeakMap<Socket, Exchange>();
  const bodies = new WeakMap<IncomingMessage, Buffer>();

  const claim = (error: ClientError, socket: Socket): boolean => {
    const exchange = latest.get(socket);
    if (exchange === undefined) return false;
    const { request, response } = exchange;
    const body = restOf(error);
    // A response without its socket waits for that of an earlier request.
    const isAlone = response.socket === socket && !response.headersSent;
    if (body === null || !isUnframedDelete(request) || bodies.has(request) || !isAlone) return false;
    bodies.set(request, body);
    response.setHeader('connection', 'close');
    return true;
  };

  return {
    onClientError: (error, socket) => {
      if (claim(error, socket)) return;
      otherwise(error, socket);
    },
    install: (app) => {
      app.addHook('onRequest', (request, reply, done) => {
        latest.set(request.raw.socket, { request: request.raw, response: reply.raw });
        done();
      });
      app.addHook('preParsing', async (request, _, payload) => {
        if (!isUnframedDelete(request.raw)) return payload;
        // The parser goes on, and fails, only after it has handed over the request.
        await new Promise((resolve) => setImmediate(resolve));
        const body = bodies.get(request.raw);
        if (body === undefined) return payload;
        request.raw.headers['content-length'] = String(body.length);
        return Readable.from([body]);
      });
    },
  };
}

function isUnframedDelete({ method, headers }: IncomingMessage): boolean {
  return method === 'DELETE' && headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
}

/** What the parser has not taken, if it may be a JSON object. */
function restOf({ code, rawPacket, bytesParsed }: ClientError): Buffer | null {
  if (code !== 'HPE_INVALID_METHOD' || !Buffer.isBuffer(rawPacket) || typeof bytesParsed !== 'number') return null;
  const rest = rawPacket.subarray(bytesParsed);
  return rest[0] === BRACE && rest.length <= MAX_BYTES ? Buffer.from(rest) : null;
}
