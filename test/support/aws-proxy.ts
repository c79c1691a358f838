import { createServer, request as forwardRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorAnswer, resultAnswer } from './aws-answers';
import type { Answer } from './aws-answers';
import { createFaultQueue } from './aws-faults';
import type { Fault } from './aws-faults';
import { createStrictness } from './aws-strictness';
import type { AwsAccount } from './aws-strictness';

export interface AwsCall {
  /** IAM's or STS's action, or `<method> <path>` for everything else. */
  readonly operation: string;
  /** The form the call was sent with. */
  readonly parameters: URLSearchParams;
  /** Who signed it. */
  readonly accessKeyId: string | null;
  readonly at: Date;
  /** HTTP status of the answer; null: none was given. */
  status: number | null;
}

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export type CallPhase = 'before' | 'after';

export interface AwsProxyOptions {
  /** URL of the emulator. */
  readonly target: string;
  /** Items on one page of a list. Default 2. */
  readonly pageSize?: number;
  /** Text that every error answer repeats in its message, as AWS repeats session tokens. */
  readonly echo?: string;
  /** How full the account is. Default: what the emulator says, and there is always room. */
  readonly account?: AwsAccount;
  /** Makes the session for a web identity: with signatures on, the emulator cannot answer that unsigned call. */
  readonly webIdentity?: (parameters: URLSearchParams) => Promise<SessionCredentials>;
  /** Called before the emulator is asked and again before it is answered; the call waits for it. */
  readonly onCall?: (operation: string, phase: CallPhase, call: AwsCall) => void | Promise<void>;
}

/** An AWS emulator made as strict as AWS, and as unreliable as a test wants it. */
export interface AwsProxy {
  readonly url: string;
  /** Every call since the start or the last `forget`, in order of arrival. */
  readonly calls: readonly AwsCall[];
  fault(fault: Fault): void;
  clearFaults(): void;
  /** Replaces the hook given at the start. */
  setOnCall(hook: AwsProxyOptions['onCall']): void;
  /** Replaces what was given at the start. */
  setAccount(account: AwsAccount | undefined): void;
  /** Empties `calls`. */
  forget(): void;
  /** Ends it, hanging calls included. */
  close(): Promise<void>;
}

/**
 * Starts a proxy in front of the emulator. The Host header passes unchanged, so signatures stay valid. The rules it adds
 * know only what was made through it.
 */
export async function startAwsProxy(options: AwsProxyOptions): Promise<AwsProxy> {
  const target = new URL(options.target);
  const strictness = createStrictness(options.pageSize ?? 2, options.account);
  const faults = createFaultQueue();
  const calls: AwsCall[] = [];
  const closing = new AbortController();
  let onCall = options.onCall;

  async function answer(request: IncomingMessage): Promise<Answer | null> {
    const body = await readBody(request);
    const call = describeCall(request, body);
    calls.push(call);
    await onCall?.(call.operation, 'before', call);
    const given = await decide(call, request, body);
    call.status = given?.status ?? null;
    return given;
  }

  async function decide(call: AwsCall, request: IncomingMessage, body: Buffer): Promise<Answer | null> {
    const fault = faults.take(call.operation, call.accessKeyId);
    const failed = fault === undefined ? null : failBefore(fault);
    if (failed !== null) return failed;
    if (fault?.kind === 'hang') return hang();
    if (fault?.kind === 'delay') await sleep(fault.delayMs ?? 100, undefined, { signal: closing.signal });
    const done = strictness.before(call) ?? (await serve(call, request, body));
    await onCall?.(call.operation, 'after', call);
    if (fault?.kind === 'hang-after') return hang();
    if (fault?.kind === 'lost-answer') return null;
    return fault?.kind === '500-after' ? errorAnswer(500, 'ServiceFailure', 'The request failed.') : done;
  }

  async function serve(call: AwsCall, request: IncomingMessage, body: Buffer): Promise<Answer> {
    if (call.operation !== 'AssumeRoleWithWebIdentity' || options.webIdentity === undefined) {
      return forward(call, request, body);
    }
    return sessionAnswer(call.operation, await options.webIdentity(call.parameters));
  }

  async function forward(call: AwsCall, request: IncomingMessage, body: Buffer): Promise<Answer> {
    const given = await ask(target, request, body);
    if (!isXml(given)) return given;
    return { ...given, body: strictness.after(call, given.status, given.body.toString()) };
  }

  async function hang(): Promise<null> {
    await new Promise<void>((resolve) => {
      if (closing.signal.aborted) resolve();
      closing.signal.addEventListener('abort', () => {
        resolve();
      });
    });
    return null;
  }

  const server = createServer((request, response) => {
    answer(request).then(
      (given) => {
        send(response, given, options.echo);
      },
      () => {
        response.destroy();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    fault: (fault) => {
      faults.add(fault);
    },
    clearFaults: () => {
      faults.clear();
    },
    setOnCall: (hook) => {
      onCall = hook;
    },
    setAccount: (account) => {
      strictness.setAccount(account);
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

function failBefore(fault: Fault): Answer | null {
  switch (fault.kind) {
    case '500-before':
      return errorAnswer(500, 'ServiceFailure', 'The request failed.');
    case 'html-503':
      return {
        status: 503,
        headers: { 'content-type': 'text/html' },
        body: '<html><body><p>Service unavailable</body></html>',
      };
    case 'throttle': {
      const throttled = errorAnswer(400, 'Throttling', 'Rate exceeded');
      if (fault.retryAfterSeconds === undefined) return throttled;
      return { ...throttled, headers: { ...throttled.headers, 'retry-after': String(fault.retryAfterSeconds) } };
    }
    case 'not-found':
      return errorAnswer(404, 'NoSuchEntity', 'The user cannot be found.');
    case 'error':
      return errorAnswer(fault.status ?? 400, fault.code ?? 'InvalidInput', 'The request was refused.');
    case 'lost-answer':
    case '500-after':
    case 'hang':
    case 'hang-after':
    case 'delay':
      return null;
  }
}

function sessionAnswer(operation: string, session: SessionCredentials): Answer {
  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  return resultAnswer(
    operation,
    `<Credentials><AccessKeyId>${session.accessKeyId}</AccessKeyId><Expiration>${expiration}</Expiration>` +
      `<SecretAccessKey>${session.secretAccessKey}</SecretAccessKey>` +
      `<SessionToken>${session.sessionToken}</SessionToken></Credentials>`,
  );
}

function describeCall(request: IncomingMessage, body: Buffer): AwsCall {
  const isForm = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  const parameters = new URLSearchParams(isForm ? body.toString() : '');
  const operation = parameters.get('Action') ?? `${request.method ?? ''} ${request.url ?? ''}`;
  const accessKeyId = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? null;
  return { operation, parameters, accessKeyId, at: new Date(), status: null };
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

function send(response: ServerResponse, answer: Answer | null, echo: string | undefined): void {
  if (answer === null) {
    response.destroy();
    return;
  }
  const echoes = echo !== undefined && answer.status >= 400 && isXml(answer);
  const body = echoes ? answer.body.toString().replace('</Message>', ` ${echo}</Message>`) : answer.body;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** The emulator does not always say so, but only its HTML is not XML. */
function isXml({ headers, body }: Answer): boolean {
  const text = body.toString().slice(0, 100).trimStart().toLowerCase();
  if (text.startsWith('<!doctype html') || text.startsWith('<html')) return false;
  return text.startsWith('<') || String(headers['content-type']).includes('xml');
}
