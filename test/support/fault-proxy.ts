import { createServer, request as forwardRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFaultQueue } from './faults';
import type { Fault, FaultKind } from './faults';

/** An answer as it goes to the client. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string | Buffer;
}

export interface ProviderCall {
  /** The provider's name of what is asked. */
  readonly operation: string;
  /** Name of the entity that it is about, if it names one. */
  readonly entity: string | null;
  readonly at: Date;
  /** The fault that hit it. */
  fault: FaultKind | null;
  /** HTTP status of the answer; null: none was given. */
  status: number | null;
  /** Of the caller's end of the connection. */
  port?: number | undefined;
  /** When the provider itself was asked; absent: not yet, or never. */
  askedAt?: number;
  /** Whether the provider did it, whatever the caller was answered; absent: it was never asked, or has not answered. */
  done?: boolean;
}

/** `body`: the head of the answer is on its way, the rest is not. */
export type CallPhase = 'before' | 'after' | 'body';

/** Called before the emulator is asked, before it is answered, and in the middle of the answer; the call waits for it. */
export type CallHook<Call> = (operation: string, phase: CallPhase, call: Call) => void | Promise<void>;

/** What the proxy must know of a provider that is spoken to over HTTP. */
export interface Dialect<Call extends ProviderCall> {
  describe(request: IncomingMessage, body: Buffer): Call;
  /** Answers a call: from the emulator, mended where it is not as strict as the provider, or without asking it. */
  answer(call: Call, forward: () => Promise<Answer>): Promise<Answer>;
  /** How the provider words a fault of one of these kinds. */
  refuse(fault: Fault & { readonly kind: WordedKind }): Answer;
  /** The same error answer with a text repeated in it, as providers repeat what they were sent. */
  echo(answer: Answer, text: string): Answer;
}

/** Kinds that the provider answers in its own words. */
export type WordedKind = '500-before' | '500-after' | 'throttle' | 'not-found' | 'error';

export interface FaultProxyOptions<Call extends ProviderCall> {
  /** URL of the emulator. */
  readonly target: string;
  /** Text that every error answer repeats. */
  readonly echo?: string;
  readonly onCall?: CallHook<Call>;
}

/** An emulator as unreliable as a test wants it. */
export interface FaultProxy<Call extends ProviderCall = ProviderCall> {
  readonly url: string;
  /** Every call since the start or the last `forget`, in order of arrival. */
  readonly calls: readonly Call[];
  fault(fault: Fault): void;
  /** @param entity only the faults of this entity; absent: all. */
  clearFaults(entity?: string): void;
  /** While away every connection is cut at its first request, and nothing is asked or counted. */
  setAway(away: boolean): void;
  /** Replaces the hook given at the start. */
  setOnCall(hook: CallHook<Call> | undefined): void;
  /** Empties `calls`. */
  forget(): void;
  /** Ends it, hanging calls included. */
  close(): Promise<void>;
}

/** Starts a proxy in front of an emulator. The Host header passes unchanged, so signatures stay valid. */
export async function startFaultProxy<Call extends ProviderCall>(
  dialect: Dialect<Call>,
  options: FaultProxyOptions<Call>,
): Promise<FaultProxy<Call>> {
  const target = new URL(options.target);
  const faults = createFaultQueue();
  const calls: Call[] = [];
  const closing = new AbortController();
  let { onCall } = options;
  let isAway = false;

  async function answer(request: IncomingMessage): Promise<[Call, Answer | null]> {
    const body = await readBody(request);
    const call = dialect.describe(request, body);
    call.port = request.socket.remotePort;
    calls.push(call);
    await onCall?.(call.operation, 'before', call);
    const given = await decide(call, () => ask(target, request, body));
    call.status = given?.status ?? null;
    const echoes = given !== null && given.status >= 400 && options.echo !== undefined;
    return [call, echoes ? dialect.echo(given, options.echo) : given];
  }

  async function decide(call: Call, forward: () => Promise<Answer>): Promise<Answer | null> {
    const fault = faults.take(call);
    call.fault = fault?.kind ?? null;
    const failed = fault === undefined ? null : failBefore(fault);
    if (failed !== null) return failed;
    if (fault?.kind === 'hang') return hang();
    if (fault?.kind === 'delay') await sleep(fault.delayMs ?? 100, undefined, { signal: closing.signal });
    call.askedAt = Date.now();
    const done = await dialect.answer(call, forward);
    call.done = done.status < 400;
    await onCall?.(call.operation, 'after', call);
    if (fault?.kind === 'hang-after') return hang();
    if (fault?.kind === 'lost-answer') return null;
    return fault?.kind === '500-after' ? dialect.refuse({ ...fault, kind: fault.kind }) : done;
  }

  function failBefore(fault: Fault): Answer | null {
    const { kind } = fault;
    switch (kind) {
      case 'html-503':
        return page503(options.echo);
      case '500-before':
      case 'throttle':
      case 'not-found':
      case 'error':
        return dialect.refuse({ ...fault, kind });
      case 'lost-answer':
      case '500-after':
      case 'hang':
      case 'hang-after':
      case 'hang-body':
      case 'delay':
        return null;
    }
  }

  const closed = new Promise<void>((resolve) => {
    closing.signal.addEventListener('abort', () => {
      resolve();
    });
  });

  async function hang(): Promise<null> {
    await closed;
    return null;
  }

  async function send(response: ServerResponse, call: Call, given: Answer | null): Promise<void> {
    if (given === null) {
      response.destroy();
      return;
    }
    const body = Buffer.from(given.body);
    response.writeHead(given.status, { ...given.headers, 'content-length': body.length });
    response.flushHeaders();
    await onCall?.(call.operation, 'body', call);
    if (call.fault !== 'hang-body') {
      response.end(body);
      return;
    }
    response.write(body.subarray(0, body.length / 2));
    await closed;
    response.destroy();
  }

  const server = createServer((request, response) => {
    if (isAway) {
      response.destroy();
      return;
    }
    answer(request)
      .then(([call, given]) => send(response, call, given))
      .catch(() => {
        response.destroy();
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    fault: (fault) => {
      faults.add(fault);
    },
    clearFaults: (entity) => {
      faults.clear(entity);
    },
    setAway: (away) => {
      isAway = away;
    },
    setOnCall: (hook) => {
      onCall = hook;
    },
    forget: () => {
      calls.length = 0;
    },
    close: async () => {
      closing.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What a load balancer in front of the provider says, which knows nothing of the provider's own errors. */
function page503(echo: string | undefined): Answer {
  return {
    status: 503,
    headers: { 'content-type': 'text/html' },
    body: `<html><body><p>Service unavailable</p>${echo ?? ''}</body></html>`,
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function ask(target: URL, request: IncomingMessage, body: Buffer): Promise<Answer> {
  const { method, url: path, headers } = request;
  const { hostname, port } = target;
  return new Promise((resolve, reject) => {
    const asked = forwardRequest({ hostname, port, method, path, headers }, (response) => {
      readBody(response).then((answered) => {
        const kept = Object.entries(response.headers).filter(
          ([name, value]) =>
            value !== undefined && !['content-length', 'transfer-encoding', 'connection'].includes(name),
        );
        const answerHeaders = Object.fromEntries(kept) as Record<string, string | string[]>;
        resolve({ status: response.statusCode ?? 500, headers: answerHeaders, body: answered });
      }, reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
