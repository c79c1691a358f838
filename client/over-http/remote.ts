import type { z } from 'zod';
import { doze, waitWithin } from '../bounds';
import type { Bounds } from '../bounds';
import { LeaseError } from '../leases';
import type { LeaseErrorFacts } from '../leases';
import { readText, TooLargeError } from '../read-whole';
import { readRefusal } from './refusal';
import type { Refusal } from './refusal';

/** A Leasehold API and how it is asked. */
export interface Remote {
  /** Without a slash at its end. */
  readonly url: string;
  /** Asked at each request; null: there is none, for what is open to everybody. */
  readonly token: (() => Promise<string>) | null;
  readonly fetch: typeof fetch;
  /** @throws LeaseError once it is no longer to be asked. */
  readonly ensureOpen: () => void;
}

export interface Ask {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the API's address, encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Whether it changes nothing, or nothing more, when it is asked again after it failed. */
  readonly harmless: boolean;
  /** Kept up to date, for who must know. */
  readonly flight?: Flight;
}

/** Whether the server may have done what was asked. */
export interface Flight {
  mayHaveArrived: boolean;
  /** Whether it was sent once without an answer of the API: what is answered to a repeat need not tell of that. */
  isUnanswered: boolean;
}

/** The API was not reached, or its answer was lost. */
export class Lost extends Error {
  override readonly name = 'Lost';

  constructor(
    message: string,
    /** Whether the server may have got the request. */
    readonly reached: boolean,
    /** Whether asking again may help. */
    readonly passing: boolean,
  ) {
    super(message);
  }
}

/** How long a server that is not there, or not well, is asked again. A restart takes less. */
const PATIENCE_MS = 5_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Asks until there is an answer, so far as asking again is safe and there is time.
 * @throws LeaseError of what the server refused; Lost if there was no answer; Interrupted at the bounds.
 */
export async function ask<T>(
  remote: Remote,
  bounds: Bounds,
  what: Ask,
  answer: z.ZodType<T>,
  facts: LeaseErrorFacts = {},
): Promise<T> {
  let givesUpAt: number | null = null;
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    const got = await tryOnce(remote, bounds, what, answer, facts);
    if ('value' in got) return got.value;
    const now = Date.now();
    givesUpAt ??= Math.min(now + PATIENCE_MS, bounds.deadline);
    const { again, error } = got;
    const isLimit = typeof again === 'number';
    const pauseMs = isLimit ? again : wait;
    if (again === false || now + pauseMs >= (isLimit ? bounds.deadline : givesUpAt)) throw error;
    await doze(pauseMs, bounds.signal);
  }
}

type Got<T> =
  | { readonly value: T }
  /** `again`: whether to ask again, or after how many milliseconds the server allows it. */
  | { readonly error: LeaseError | Lost; readonly again: boolean | number };

async function tryOnce<T>(
  remote: Remote,
  bounds: Bounds,
  what: Ask,
  answer: z.ZodType<T>,
  facts: LeaseErrorFacts,
): Promise<Got<T>> {
  const flight = what.flight ?? { mayHaveArrived: false, isUnanswered: false };
  const before = flight.mayHaveArrived;
  let response: Response;
  let body: unknown;
  try {
    [response, body] = await send(remote, bounds, what, flight);
  } catch (error) {
    if (error instanceof Lost && !error.reached) flight.mayHaveArrived = before;
    if (error instanceof Lost && error.reached) flight.isUnanswered = true;
    if (error instanceof Lost) return { error, again: error.passing && (what.harmless || !error.reached) };
    throw error;
  }
  if (response.ok) {
    const read = answer.safeParse(body);
    if (read.success) return { value: read.data };
    return { error: new Lost(`${remote.url} answered with something else than leases.`, true, false), again: false };
  }
  const refusal = readRefusal(response.status, body, remote.url, facts);
  if (refusal.untouched) flight.mayHaveArrived = before;
  if (refusal.code === null) flight.isUnanswered = true;
  return { error: refusal.error, again: mayAskAgain(response, refusal, what) };
}

function mayAskAgain(response: Response, { code }: Refusal, { harmless, method }: Ask): boolean | number {
  const { status } = response;
  if (status === 429 && (code === null || code === 'rate_limited')) {
    const seconds = Number(response.headers.get('retry-after') ?? NaN);
    return Number.isFinite(seconds) && seconds >= 0 ? Math.max(seconds, 1) * 1_000 : false;
  }
  if (code === 'shutting_down') return true;
  if (status < 502 || status > 504) return false;
  return code === null ? harmless : method === 'GET' && code === 'unavailable';
}

/** One request and its whole answer. No error of the platform leaves here: it may hold the headers. */
async function send(
  remote: Remote,
  { deadline, signal }: Bounds,
  { method, path, headers, body }: Ask,
  flight: Flight,
): Promise<[Response, unknown]> {
  remote.ensureOpen();
  const hangUp = new AbortController();
  try {
    return await waitWithin({ deadline, signal }, async () => {
      const token = await readToken(remote);
      if (hangUp.signal.aborted) throw new Lost('It was too late.', false, false);
      flight.mayHaveArrived = true;
      try {
        const response = await remote.fetch(`${remote.url}${path}`, {
          method,
          headers: {
            accept: 'application/json',
            ...(token === null ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          // Nobody else than the configured server gets the token or the request.
          redirect: 'manual',
          signal: hangUp.signal,
        });
        const text = await readText(response);
        return [response, token === null ? parse(text) : hide(token, parse(text))];
      } catch (error) {
        throw explain(remote.url, error);
      }
    });
  } finally {
    hangUp.abort();
  }
}

async function readToken({ token }: Remote): Promise<string | null> {
  if (token === null) return null;
  let text: unknown;
  try {
    text = await token();
  } catch (error) {
    // Whoever is to give the token may say himself why there is none.
    if (error instanceof LeaseError) throw error;
    throw new Lost('The token for the Leasehold API could not be had.', false, false);
  }
  if (isToken(text)) return text;
  throw new Lost('What was given as the token for the Leasehold API is none.', false, false);
}

/** Whether a text can stand in the header `Authorization`. */
export function isToken(text: unknown): text is string {
  return typeof text === 'string' && /^[\x21-\x7e]{1,16000}$/.test(text);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** An answer that repeats our token is not read at all: what is read may be shown. */
function hide(token: string, body: unknown): unknown {
  return token.length >= SHORTEST_SECRET && JSON.stringify(body).includes(token) ? null : body;
}

/** What is shorter is no secret, and may be met by chance. */
const SHORTEST_SECRET = 16;

/** Connections that were refused or not found: nothing was sent. */
const NOT_THERE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function explain(url: string, error: unknown): Lost {
  const code = codeOf(error);
  if (code !== null && NOT_THERE.has(code))
    return new Lost(`The Leasehold API at ${url} cannot be reached (${code}).`, false, true);
  if (error instanceof TooLargeError) {
    return new Lost(`The answer of the Leasehold API at ${url} is larger than any that it gives.`, true, false);
  }
  if (isBlockedPort(error)) {
    return new Lost(`${url} is at a port that is kept for another protocol: nothing is sent there.`, false, false);
  }
  if (code !== null && /CERT|SSL|TLS/.test(code)) {
    const advice = 'NODE_EXTRA_CA_CERTS names a file of further authorities.';
    return new Lost(`The certificate of the Leasehold API at ${url} is not trusted (${code}). ${advice}`, false, false);
  }
  return new Lost(
    `The answer of the Leasehold API at ${url} was lost${code === null ? '' : ` (${code})`}.`,
    true,
    true,
  );
}

/** The platform says it in words alone. */
function isBlockedPort(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && error.cause.message === 'bad port';
}

function codeOf(error: unknown): string | null {
  const cause = error instanceof Error ? (error.cause ?? error) : null;
  const code: unknown = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : null;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : null;
}
