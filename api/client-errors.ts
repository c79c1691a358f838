import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorBodyOf, refusal } from './errors';
import type { ApiError } from './errors';

/** What Node's server says of a connection that it cannot go on with. */
export interface ClientError extends Error {
  readonly code?: string;
  readonly rawPacket?: unknown;
  readonly bytesParsed?: unknown;
}

/** Answers what could not be read as a request, in the same form as every error, and closes the connection. */
export function answerClientError(error: ClientError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const told = explain(error);
  const requestId = randomUUID();
  const body = JSON.stringify(errorBodyOf(told, requestId));
  const head = [
    `HTTP/1.1 ${told.status} ${STATUS_CODES[told.status] ?? 'Error'}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    `x-request-id: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => {
    socket.destroy();
  });
}

function explain({ code }: ClientError): ApiError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refusal(408, 'request_timeout', 'The request did not arrive in time.');
    case 'HPE_HEADER_OVERFLOW':
      return refusal(431, 'payload_too_large', 'The head of the request is larger than what is read.');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refusal(413, 'payload_too_large', 'The chunks of the request have extensions larger than what is read.');
    case undefined:
    default:
      return refusal(400, 'invalid_input', 'This is no HTTP request that can be understood.');
  }
}
