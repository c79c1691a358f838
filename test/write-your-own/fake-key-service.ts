import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Key {
  readonly name: string;
  readonly deployment: string | null;
  readonly lease: string | null;
  readonly created_at: string;
  readonly expires_at: string | null;
}

/** The service of the example: keys by name, each with one secret that is told once. */
export interface FakeKeyService {
  readonly url: string;
  readonly token: string;
  readonly keys: ReadonlyMap<string, Key>;
  /** `<method> <path>` of every call. */
  readonly calls: readonly string[];
  /** Whether the service honours this secret. */
  works(secret: string): boolean;
  /** The next call is done, and its answer is lost. */
  loseNextAnswer(): void;
  /** The next call is answered so instead of being done. */
  answerNext(status: number, body: object, headers?: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

const LIMIT = 3;
const PAGE = 2;

export async function startFakeKeyService(): Promise<FakeKeyService> {
  const token = `orchestrator-${randomUUID()}`;
  const keys = new Map<string, Key>();
  const secrets = new Map<string, string>();
  const calls: string[] = [];
  let losesAnswer = false;
  let answer: [number, object, Readonly<Record<string, string>>] | null = null;

  function reveal(name: string): [number, object] {
    const secret = `key-${randomUUID()}`;
    secrets.set(name, secret);
    return [201, { secret }];
  }

  function act(method: string, url: URL, body: Partial<Key>): [number, object | null] {
    const [, kind, name = '', part] = url.pathname.split('/');
    if (kind === 'self') {
      return [200, { name: 'orchestrator', rights: ['keys:read', 'keys:write'], used: keys.size, limit: LIMIT }];
    }
    if (name === '' && method === 'GET') return [200, pageOf(url)];
    if (name === '') {
      if (keys.has(body.name!)) return [409, { code: 'name_taken' }];
      if (keys.size === LIMIT) return [403, { code: 'quota_exceeded' }];
      const { deployment = null, lease = null, expires_at: expiry = null } = body;
      const created = new Date().toISOString();
      keys.set(body.name!, { name: body.name!, deployment, lease, created_at: created, expires_at: expiry });
      return reveal(body.name!);
    }
    const found = keys.get(name);
    if (found === undefined) return [404, { code: 'no_such_key' }];
    if (part === 'secret') return reveal(name);
    if (method === 'PATCH') keys.set(name, { ...found, expires_at: body.expires_at ?? null });
    if (method === 'DELETE') {
      keys.delete(name);
      secrets.delete(name);
    }
    return [200, method === 'GET' ? found : null];
  }

  function pageOf(url: URL): object {
    const { prefix, after = '' } = Object.fromEntries(url.searchParams);
    const rest = [...keys.values()].filter(({ name }) => name.startsWith(prefix!) && name > after);
    const shown = rest.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, PAGE);
    return { keys: shown, next: rest.length > PAGE ? shown.at(-1)!.name : null };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://localhost');
    calls.push(`${request.method!} ${url.pathname}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const known = request.headers.authorization === `Bearer ${token}`;
    const given = answer;
    answer = null;
    const [status, body, headers = {}] =
      given ??
      (known
        ? act(request.method!, url, JSON.parse(text === '' ? '{}' : text) as Partial<Key>)
        : [401, { code: 'who' }]);
    if (losesAnswer) {
      losesAnswer = false;
      request.socket.destroy();
      return;
    }
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(body === null ? '' : JSON.stringify(body));
  }

  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    keys,
    calls,
    works: (secret) => [...secrets.values()].includes(secret),
    loseNextAnswer: () => {
      losesAnswer = true;
    },
    answerNext: (status, body, headers = {}) => {
      answer = [status, body, headers];
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
