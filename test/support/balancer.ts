import { once } from 'node:events';
import { Agent, createServer, request as ask } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A balancer as they are in front of an API: it gives each request to the next server that said lately that it is ready, keeps its
 * connections to them open, and tries nothing twice.
 */
export interface Balancer {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Requests so far, by the server that got them. */
  readonly given: ReadonlyMap<string, number>;
  /** What went wrong with requests: `<method> <path>: 503`, or the code of the error. */
  readonly failures: readonly string[];
  /** Takes a server in, which gets requests from when it is ready. */
  add(url: string): void;
  /** Whether a server gets requests. */
  uses(url: string): boolean;
  close(): Promise<void>;
}

const EVERY_MS = 100;

/** @param readiness the path at which a server says with 200 that it is ready. */
export async function startBalancer(readiness: string): Promise<Balancer> {
  const servers = new Map<string, { isReady: boolean; readonly agent: Agent }>();
  const given = new Map<string, number>();
  const failures: string[] = [];
  const stopping = new AbortController();
  let turn = 0;

  const watch = async (url: string): Promise<void> => {
    while (!stopping.signal.aborted) {
      const server = servers.get(url)!;
      const answer = await fetch(url + readiness, { headers: { connection: 'close' } }).catch(() => null);
      await answer?.arrayBuffer().catch(() => undefined);
      server.isReady = answer?.status === 200;
      await sleep(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  const fail = (request: IncomingMessage, why: string): void => {
    failures.push(`${request.method ?? ''} ${request.url ?? ''}: ${why}`);
  };
  const pass = (request: IncomingMessage, response: ServerResponse): void => {
    const ready = [...servers].filter(([, { isReady }]) => isReady);
    const [url, server] = ready[turn++ % ready.length] ?? [];
    if (url === undefined || server === undefined) {
      fail(request, 'no server is ready');
      response.writeHead(503).end();
      return;
    }
    given.set(url, (given.get(url) ?? 0) + 1);
    const { connection: _, ...headers } = request.headers;
    const onward = ask(url + (request.url ?? ''), { method: request.method, headers, agent: server.agent });
    onward
      .on('response', (answer) => {
        if ((answer.statusCode ?? 500) >= 500) fail(request, String(answer.statusCode));
        // What it says of its own connection.
        const own = ['connection', 'keep-alive'];
        const rest = Object.entries(answer.headers).filter(([name]) => !own.includes(name));
        response.writeHead(answer.statusCode ?? 502, Object.fromEntries(rest));
        answer.pipe(response);
      })
      .on('error', (error: NodeJS.ErrnoException) => {
        fail(request, error.code ?? error.message);
        if (!response.headersSent) response.writeHead(502);
        response.end();
      });
    request.pipe(onward);
  };

  const front = createServer(pass).listen(0, '127.0.0.1');
  await once(front, 'listening');
  const watches: Promise<void>[] = [];
  return {
    url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    given,
    failures,
    add: (url) => {
      servers.set(url, { isReady: false, agent: new Agent({ keepAlive: true }) });
      watches.push(watch(url));
    },
    uses: (url) => servers.get(url)?.isReady === true,
    close: async () => {
      stopping.abort();
      await Promise.all(watches);
      for (const { agent } of servers.values()) agent.destroy();
      front.closeAllConnections();
      front.close();
    },
  };
}
