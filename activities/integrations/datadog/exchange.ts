import { Agent as HttpAgent, request as openHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as openHttps } from 'node:https';

export interface Request {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface ExchangeOptions {
  /** Gives the exchange up at any time. */
  readonly signal?: AbortSignal;
  /** From the start to the end of the answer, connecting included. */
  readonly timeoutMs: number;
  /** Called when the connection stands and the request is about to be written; when it throws, nothing is sent. */
  readonly beforeSending: () => void;
  /** False: over a connection of its own, which leads to any of Datadog's hosts. */
  readonly reuse: boolean;
}

/** Kept connections to one Datadog. */
export interface Connections {
  /** One request and its answer, whatever its status. Follows no redirection and repeats nothing. */
  exchange(request: Request, options: ExchangeOptions): Promise<Answer>;
  close(): void;
}

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

export function openConnections(): Connections {
  // Slots and rate bound what goes on at once. A queue here would hold requests back after their fence let them pass.
  const kept = { keepAlive: true, maxSockets: Infinity };
  const http = new HttpAgent(kept);
  const https = new HttpsAgent(kept);
  return {
    exchange: ({ url, method, headers, body }, { signal, timeoutMs, beforeSending, reuse }) =>
      new Promise((resolve, reject) => {
        const isSecure = url.startsWith('https:');
        const open = isSecure ? openHttps : openHttp;
        const agent = reuse ? (isSecure ? https : http) : false;
        const request = open(url, { method, headers, agent, ...(signal === undefined ? {} : { signal }) });
        const fail = (error: unknown) => {
          clearTimeout(timeUp);
          request.destroy();
          reject(error instanceof Error ? error : new Error('The call failed.'));
        };
        // Rejects by itself: a request that Node gave up already, as after a 101, tells no error any more.
        const timeUp = setTimeout(() => {
          fail(new Error('The time for this call was over.'));
        }, timeoutMs);
        // Not before the connection stands: connecting takes time, in which an attempt can lose its lease.
        const send = () => {
          try {
            beforeSending();
          } catch (error) {
            fail(error);
            return;
          }
          request.end(body);
        };
        request.on('error', fail);
        request.on('socket', (socket) => {
          if (socket.connecting) socket.once(isSecure ? 'secureConnect' : 'connect', send);
          else send();
        });
        request.on('response', (response) => {
          collect(response).then((text) => {
            clearTimeout(timeUp);
            resolve({ status: response.statusCode ?? 0, headers: headersOf(response), text });
          }, fail);
        });
      }),
    close: () => {
      http.destroy();
      https.destroy();
    },
  };
}

async function collect(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const part = chunk as Buffer;
    bytes += part.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('The answer is too long.');
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}
