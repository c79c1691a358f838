import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { endConnection } from './end-connection';

// Doppler's node SDK sends the body of a DELETE without saying that there is one: neither Content-Length nor Transfer-Encoding,
// the JSON just follows. Node reads a DELETE without a body and then chokes on what it takes for the next request.
//
// No request can be smuggled in by this: what is taken for the body is what the parser has refused, it begins with a brace, as no
// request does, it must be JSON to its very end, and the connection is closed after the answer. From its first refusal on the parser
// refuses all that follows.

/** What Node's server says of a connection that it cannot go on with. */
interface ClientError extends NodeJS.ErrnoException {
  readonly rawPacket?: unknown;
  readonly bytesParsed?: unknown;
}

/** A request of which more may follow. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  body: Buffer;
  /** Called when more has come. */
  grown: () => void;
}

export interface UnframedBodies {
  /** Node's `clientError`. */
  readonly onClientError: (error: ClientError, socket: Socket) => void;
  /** To be called before any other hook is added. */
  readonly install: (app: FastifyInstance) => void;
}

const MAX_BYTES = 64 * 1024;
/** How long a body, or the rest of it, may take to follow. */
const FOLLOWS_WITHIN_MS = 500;
const [BRACE, END_BRACE] = [0x7b, 0x7d];

/** @param otherwise answers everything else that the parser chokes on. */
export function acceptUnframedBodies(otherwise: (error: ClientError, socket: Socket) => void): UnframedBodies {
  const latest = new WeakMap<Socket, Exchange>();

  /** Whether it was the body of an unframed request. */
  const take = (error: ClientError, socket: Socket): boolean => {
    const exchange = latest.get(socket);
    if (exchange === undefined || !isUnframedDelete(exchange.request)) return false;
    const { response, body } = exchange;
    const rest = restOf(error, body.length === 0);
    if (rest === null || body.length + rest.length > MAX_BYTES) return false;
    if (response.headersSent) {
      // Nobody asked for a second answer: on a connection that is kept it would be taken for that of the next request.
      endConnection(socket);
      return true;
    }
    // A response without its socket waits for that of an earlier request.
    if (response.socket !== socket) return false;
    exchange.body = Buffer.concat([body, rest]);
    response.setHeader('connection', 'close');
    exchange.grown();
    return true;
  };

  return {
    onClientError: (error, socket) => {
      if (take(error, socket)) return;
      otherwise(error, socket);
    },
    install: (app) => {
      app.addHook('onRequest', (request, reply, done) => {
        const { raw } = request;
        latest.set(raw.socket, { request: raw, response: reply.raw, body: Buffer.alloc(0), grown: () => undefined });
        done();
      });
      app.addHook('preParsing', async ({ raw, query }, _, payload) => {
        const exchange = latest.get(raw.socket);
        if (exchange?.request !== raw || !isUnframedDelete(raw)) return payload;
        // The parser goes on, and fails, only after it has handed over the request.
        await new Promise((resolve) => setImmediate(resolve));
        const isQuery = Object.keys(query as object).length > 0;
        if (exchange.body.length > 0 || (saysJson(raw) && !isQuery)) await untilWhole(exchange);
        const { body } = exchange;
        if (body.length === 0) return payload;
        raw.headers['content-length'] = String(body.length);
        return Readable.from([body]);
      });
    },
  };
}

function isUnframedDelete({ method, headers }: IncomingMessage): boolean {
  return method === 'DELETE' && headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
}

function saysJson({ headers }: IncomingMessage): boolean {
  return headers['content-type']?.startsWith('application/json') === true;
}

/** A network may bring it in pieces, and behind its head. Ends when it is JSON, or has taken too long. */
function untilWhole(exchange: Exchange): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      exchange.grown = () => undefined;
      resolve();
    };
    const timer = setTimeout(end, FOLLOWS_WITHIN_MS);
    exchange.grown = () => {
      if (isJson(exchange.body)) end();
    };
    exchange.grown();
  });
}

function isJson(body: Buffer): boolean {
  if (body.at(-1) !== END_BRACE) return false;
  try {
    JSON.parse(body.toString());
    return true;
  } catch {
    return false;
  }
}

/** What the parser has not taken, if it may be a JSON object or the rest of one. */
function restOf({ code, rawPacket, bytesParsed }: ClientError, isFirst: boolean): Buffer | null {
  if (!Buffer.isBuffer(rawPacket) || typeof bytesParsed !== 'number') return null;
  if (code !== 'HPE_INVALID_METHOD' && code !== 'HPE_CLOSED_CONNECTION') return null;
  // Of what comes after its first refusal the parser takes nothing, and counts on from there.
  if (!isFirst) return Buffer.from(rawPacket);
  // Behind a request that is to be the last the parser stops after the first byte and not before it.
  const rest = rawPacket.subarray(code === 'HPE_CLOSED_CONNECTION' ? bytesParsed - 1 : bytesParsed);
  return rest[0] === BRACE ? Buffer.from(rest) : null;
}
