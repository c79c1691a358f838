import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorBodyOf, refusal } from './errors';
import type { ApiError } from './errors';

/** Answers what never became a request: no HTTP, too large a head, or one that came too slowly. */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const told = toldOf(error.code);
  const id = randomUUID();
  const body = JSON.stringify(errorBodyOf(told, id));
  socket.end(
    [
      `HTTP/1.1 ${told.status} ${STATUS_CODES[told.status] ?? ''}`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${id}`,
      'Cache-Control: no-store',
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  // Whoever was too slow may also never close its end.
  socket.destroySoon();
}

function toldOf(code: string | undefined): ApiError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return refusal(431, 'payload_too_large', 'The head of the request is larger than what is read.');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refusal(408, 'request_timeout', 'The request came too slowly.');
  return refusal(400, 'invalid_input', 'That is no HTTP request.');
}
