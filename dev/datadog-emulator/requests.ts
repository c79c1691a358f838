import type { IncomingMessage } from 'node:http';
import { errorAnswer, forbidden, Refused } from './answers';
import type { Answer, ErrorStyle } from './answers';
import type { Organization } from './organization';
import { ROUTES } from './routes';
import type { Route } from './routes';

const MAX_BODY_BYTES = 64 * 1_024;

/** A request as it came in. */
export interface Received {
  readonly url: URL;
  readonly body: string;
  readonly header: (name: string) => string | undefined;
}

/** @throws Error where the body is too long */
export async function receive(request: IncomingMessage): Promise<Received> {
  return {
    url: new URL(request.url ?? '/', 'http://emulator'),
    body: await bodyOf(request),
    header: (name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : undefined;
    },
  };
}

/** The route of a path without its query. */
export function routeOf(method: string | undefined, path: string): Route | undefined {
  return ROUTES.find((route) => route.method === method && parametersOf(route, path) !== null);
}

/** Answers whoever may ask. */
export function answerRequest(organization: Organization, route: Route, received: Received, style: ErrorStyle): Answer {
  try {
    return allowed(organization, route, received);
  } catch (error) {
    if (error instanceof Refused) return errorAnswer(error, style);
    throw error;
  }
}

function allowed(organization: Organization, route: Route, received: Received): Answer {
  const apiKey = organization.apiKeyOf(received.header('dd-api-key'));
  if (route.needs === 'api key') return route.answer(organization, apiKey);
  const caller = organization.callerOf(received.header('dd-application-key'));
  if (route.needs !== 'both keys' && !caller.may(route.needs)) throw forbidden();
  const parameters = parametersOf(route, received.url.pathname);
  return route.answer({
    organization,
    parameter: (name) => parameters?.get(name) ?? '',
    query: received.url.searchParams,
    body: route.method === 'POST' || route.method === 'PATCH' ? parse(received) : undefined,
    caller,
  });
}

/** The path's parameters; null: another path. */
function parametersOf({ path }: Route, asked: string): ReadonlyMap<string, string> | null {
  const parts = asked.split('/');
  const wanted = path.split('/');
  if (parts.length !== wanted.length) return null;
  const parameters = new Map<string, string>();
  for (const [index, want] of wanted.entries()) {
    const part = parts[index] ?? '';
    if (want.startsWith('{')) parameters.set(want.slice(1, -1), part);
    else if (want !== part) return null;
  }
  return parameters;
}

function parse({ header, body }: Received): unknown {
  if (header('content-type')?.startsWith('application/json') !== true) {
    throw new Refused(415, 'Content-Type must be application/json');
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new Refused(400, 'Invalid request: the body must be JSON');
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Error('The body is too long.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
