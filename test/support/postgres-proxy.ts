import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallHook } from './fault-proxy';
import { createFaultQueue } from './faults';
import type { Fault, FaultKind } from './faults';
import {
  createMessageReader,
  echoError,
  errorMessage,
  isEncryptionRequest,
  queryMessage,
  queryText,
  readyMessage,
  sqlStateOf,
  START_UP,
  startUpCode,
  statusOf,
  unreadableMessage,
} from './postgres-messages';
import type { Message, TransactionStatus } from './postgres-messages';

/** One text of the simple query protocol, however many statements it holds. */
export interface PostgresCall {
  /** As the comment says that the text begins with: `/* leasehold <operation> <entity> *\/`; `unnamed` without one. */
  readonly operation: string;
  readonly entity: string | null;
  /** The text. */
  readonly sent: string;
  readonly at: Date;
  /** The fault that hit it. */
  fault: FaultKind | null;
  /** SQLSTATE of the error it was answered with; null: none. */
  error: string | null;
  /** Of the caller's end of the connection. */
  port?: number | undefined;
  /** When the server itself was asked; absent: not yet, or never. */
  askedAt?: number;
  /** Whether the server did it, whatever the caller was answered; absent: it was never asked, or has not answered. */
  done?: boolean;
}

export interface PostgresProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** Text that every error answer repeats. */
  readonly echo?: string;
  readonly onCall?: CallHook<PostgresCall>;
}

/**
 * A PostgreSQL as unreliable as a test wants it. Knows the simple query protocol only, without encryption, and no COPY.
 * Of a {@link Fault}, `code` is the SQLSTATE.
 */
export interface PostgresProxy {
  readonly host: string;
  readonly port: number;
  /** Every call since the start or the last `forget`, in order of arrival. */
  readonly calls: readonly PostgresCall[];
  /** Connections that are open now. */
  connections(): number;
  fault(fault: Fault): void;
  /** @param entity only the faults of this entity; absent: all. */
  clearFaults(entity?: string): void;
  /** While away every connection is cut, and nothing is asked or counted. */
  setAway(away: boolean): void;
  /** Replaces the hook given at the start. */
  setOnCall(hook: CallHook<PostgresCall> | undefined): void;
  /** Empties `calls`. */
  forget(): void;
  /** Ends it, hanging calls included. Fails if anybody spoke another than the simple query protocol. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const NAMED = /^\/\* leasehold ([A-Za-z]+)(?: (\S+))? \*\//;
/** What a client may say beside `Q` and its start: a password, and goodbye. */
const OTHERS = ['p', 'X'];

export async function startPostgresProxy(options: PostgresProxyOptions): Promise<PostgresProxy> {
  const faults = createFaultQueue();
  const calls: PostgresCall[] = [];
  const strange = new Set<string>();
  const open = new Set<Socket>();
  const closing = new AbortController();
  let { onCall } = options;
  let isAway = false;

  const echoed = ({ type, bytes }: Message): Buffer =>
    type === 'E' && options.echo !== undefined ? echoError(bytes, options.echo) : bytes;

  const closed = new Promise<null>((resolve) => {
    closing.signal.addEventListener('abort', () => {
      resolve(null);
    });
  });

  function serve(near: Socket): void {
    const far = connect(options.target.port, options.target.host);
    const server = converse(near, far, echoed);
    const reader = createMessageReader(true);
    const handle = async ({ type, bytes }: Message): Promise<void> => {
      if (type === 'Q') await relay(near, server, bytes);
      else if (type === null) start(near, far, bytes);
      else if (OTHERS.includes(type)) far.write(bytes);
      else refuse(near, type);
    };
    let handled = Promise.resolve();
    near.on('data', (chunk) => {
      for (const message of reader.push(chunk)) {
        handled = handled
          .then(() => handle(message))
          .catch(() => {
            near.destroy();
          });
      }
    });
  }

  function refuse(near: Socket, type: string): void {
    strange.add(type);
    near.end(errorMessage('08P01', `the proxy knows the simple query protocol only, not message ${type}`, 'FATAL'));
  }

  async function relay(near: Socket, server: Server, bytes: Buffer): Promise<void> {
    const call = describeCall(queryText(bytes));
    call.port = near.remotePort;
    calls.push(call);
    await onCall?.(call.operation, 'before', call);
    const fault = faults.take(call);
    call.fault = fault?.kind ?? null;
    const answer = await decide(call, fault, server, bytes);
    if (answer === null) {
      near.destroy();
      return;
    }
    call.error = answer.map(({ type, bytes: each }) => (type === 'E' ? sqlStateOf(each) : null)).find(Boolean) ?? null;
    const whole = Buffer.concat(answer.map(echoed));
    const half = Math.floor(whole.length / 2);
    near.write(whole.subarray(0, half));
    await onCall?.(call.operation, 'body', call);
    if (fault?.kind === 'hang-body') await closed;
    near.write(whole.subarray(half));
  }

  /** What the client is answered; null: nothing, and its connection is cut. */
  async function decide(
    call: PostgresCall,
    fault: Fault | undefined,
    server: Server,
    bytes: Buffer,
  ): Promise<readonly Message[] | null> {
    const before = fault === undefined ? null : refusalBefore(fault);
    if (before !== null) return failed(server, before);
    if (fault?.kind === 'hang') return closed;
    if (fault?.kind === 'delay') await sleep(fault.delayMs ?? 100, undefined, { signal: closing.signal });
    call.askedAt = Date.now();
    const done = await server.ask(bytes);
    call.done = done.every(({ type }) => type !== 'E');
    await onCall?.(call.operation, 'after', call);
    if (fault?.kind === 'hang-after') return closed;
    if (fault?.kind === 'lost-answer') return null;
    if (fault?.kind === '500-after') return failed(server, 'XX000');
    // Nothing follows it: the client must not wait for the end of what it cannot read.
    if (fault?.kind === 'html-503') return [{ type: '!', bytes: unreadableMessage(options.echo ?? 'unreadable') }];
    return done;
  }

  const listener = createServer((near) => {
    near.on('error', () => undefined);
    if (isAway) {
      near.destroy();
      return;
    }
    open.add(near);
    near.on('close', () => open.delete(near));
    serve(near);
  });
  await new Promise<void>((resolve) => listener.listen(0, HOST, resolve));
  const cutAll = (): void => {
    for (const near of open) near.destroy();
  };
  return {
    host: HOST,
    port: (listener.address() as AddressInfo).port,
    calls,
    connections: () => open.size,
    fault: (fault) => {
      faults.add(fault);
    },
    clearFaults: (entity) => {
      faults.clear(entity);
    },
    setAway: (away) => {
      isAway = away;
      if (away) cutAll();
    },
    setOnCall: (hook) => {
      onCall = hook;
    },
    forget: () => {
      calls.length = 0;
    },
    close: async () => {
      closing.abort();
      cutAll();
      await new Promise((resolve) => listener.close(resolve));
      if (strange.size > 0) {
        throw new Error(`Somebody spoke another than the simple query protocol: messages ${[...strange].join(', ')}.`);
      }
    },
  };
}

function describeCall(sent: string): PostgresCall {
  const [, operation = 'unnamed', entity = null] = NAMED.exec(sent) ?? [];
  return { operation, entity, sent, at: new Date(), fault: null, error: null };
}

/** The server's side of one connection. */
interface Server {
  /** Sends a query; answers all messages up to the one that says that the server is ready again. */
  ask(bytes: Buffer): Promise<readonly Message[]>;
  status(): TransactionStatus;
}

/** Passes on what the server says, but for the answers to what it is asked here. */
function converse(near: Socket, far: Socket, echoed: (message: Message) => Buffer): Server {
  const reader = createMessageReader(false);
  let status: TransactionStatus = 'I';
  let answer: Message[] = [];
  let complete: ((answer: readonly Message[]) => void) | null = null;
  far.on('data', (chunk) => {
    for (const message of reader.push(chunk)) {
      if (message.type === 'Z') status = statusOf(message.bytes);
      if (complete === null) near.write(echoed(message));
      else answer.push(message);
      if (complete === null || message.type !== 'Z') continue;
      complete(answer);
      complete = null;
      answer = [];
    }
  });
  far.on('error', () => undefined);
  // A session that is ended from outside says why before it goes.
  far.on('close', () => {
    near.end(Buffer.concat(answer.map(echoed)));
  });
  // What the server was asked it does and answers, though nobody may be there to hear it.
  near.on('close', () => {
    if (complete === null) far.destroy();
    else far.end();
  });
  return {
    ask: (bytes) =>
      new Promise((resolve) => {
        complete = resolve;
        far.write(bytes);
      }),
    status: () => status,
  };
}

function start(near: Socket, far: Socket, bytes: Buffer): void {
  if (isEncryptionRequest(bytes)) near.write('N');
  else if (startUpCode(bytes) === START_UP.cancel) far.end(bytes);
  else far.write(bytes);
}

/** An error in the proxy's words. Where it ends a transaction for the client, it does so at the server too. */
async function failed(server: Server, sqlState: string): Promise<readonly Message[]> {
  if (server.status() === 'T') await server.ask(queryMessage('a syntax error'));
  return [
    { type: 'E', bytes: errorMessage(sqlState, 'the request failed') },
    { type: 'Z', bytes: readyMessage(server.status()) },
  ];
}

/** SQLSTATE that the server is said to have refused a call with, which it is never asked; null: it is asked. */
function refusalBefore({ kind, code }: Fault): string | null {
  switch (kind) {
    case '500-before':
      return 'XX000';
    case 'throttle':
      return '53300';
    case 'not-found':
      return '42704';
    case 'error':
      return code ?? '22023';
    case 'lost-answer':
    case '500-after':
    case 'html-503':
    case 'hang':
    case 'hang-after':
    case 'hang-body':
    case 'delay':
      return null;
  }
}
