import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../telemetry/logger';
import { endConnection } from './end-connection';
import { errorBodyOf, refusal } from './errors';
import type { ApiError } from './errors';

interface Unread extends NodeJS.ErrnoException {
  /** What was being read. */
  readonly rawPacket?: unknown;
}

/**
 * Certainly not a download of Doppler's CLI, which on 431 would start the program on an old file of dead credentials. Of a head that
 * came in pieces the beginning is not there any more.
 */
const OTHER_REQUEST = /^(?!GET \/v3\/configs\/config\/secrets(?:\/download)?[? ])[A-Z]+ \S/;

/** Answers what never became a request, in the words of all other errors, and closes the connection. */
export function answerMalformed(logger: Logger): (error: Unread, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const told = explain(error);
    const requestId = randomUUID();
    logger.info({ requestId, status: told.status, source: socket.remoteAddress ?? null }, 'refused unread');
    if (socket.writable && !isAnswering(socket)) {
      const body = JSON.stringify(errorBodyOf(told, requestId));
      socket.write(
        [
          `HTTP/1.1 ${told.status} ${STATUS_CODES[told.status] ?? ''}`,
          'Content-Type: application/json; charset=utf-8',
          `Content-Length: ${Buffer.byteLength(body)}`,
          `X-Request-Id: ${requestId}`,
          'Connection: close',
          '',
          body,
        ].join('\r\n'),
      );
    }
    endConnection(socket);
  };
}

function explain({ code, rawPacket }: Unread): ApiError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return refusal(408, 'request_timeout', 'The request did not arrive in time.');
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    const status = Buffer.isBuffer(rawPacket) && OTHER_REQUEST.test(rawPacket.toString('latin1', 0, 100)) ? 431 : 403;
    return refusal(status, 'headers_too_large', 'The head of the request is larger than what is read.');
  }
  return refusal(400, 'invalid_input', 'The request is no HTTP that can be read.');
}

/** Whether an answer has begun on this connection, which another text would break. */
function isAnswering(socket: Socket): boolean {
  const { _httpMessage: answer } = socket as Socket & { readonly _httpMessage?: { readonly headersSent: boolean } };
  return answer?.headersSent === true;
}
