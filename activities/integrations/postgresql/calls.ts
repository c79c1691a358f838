import type { Client, QueryResult } from 'pg';
import type { NoticeMessage } from 'pg-protocol/dist/messages';
import { IntegrationError } from '../integration';
import { lostFence } from '../own-errors';
import type { Attempt, IntegrationDeps } from '../integration';
import { timeOf } from '../time';
import type { AttemptTime } from '../time';
import type { Whereto } from './connect';
import {
  isCollision,
  isConnectionLost,
  isDefiniteRefusal,
  NOT_GRANTED,
  NOT_GRANTED_CODE,
  toIntegrationError,
} from './errors';
import type { Subject } from './errors';
import type { Pace } from './pace';
import type { Sessions } from './sessions';

export type Row = Readonly<Record<string, unknown>>;
/** What each statement of a text answered. */
export type Rows = readonly (readonly Row[])[];

/**
 * A way to the server. Statements go by the simple protocol, several in one text and so in one round trip and one
 * transaction. Each text begins with a comment that says what is done and to which role, for whoever reads the server's log.
 * Waits for the integration's rate first and fails with an {@link IntegrationError}.
 */
export interface Reader {
  /** Statements that change nothing. Given up when the signal says so. Answers the rows of each. */
  read(operation: string, statements: readonly string[], where?: Whereto): Promise<Rows>;
}

/** One attempt's way to the server; what it reads is given up when the attempt ends. */
export interface Calls extends Reader, AttemptTime {
  readonly attempt: Attempt;
  /** The role that comments and errors name. */
  readonly entity: string;
  readonly pace: Pace;
  /** Where the orchestrator connects when nothing else is said. */
  readonly home: Whereto;
  /**
   * Statements that create, change or delete. Sent only while the fence lets them pass. Once sent, they are never given up
   * because the attempt is cancelled; the server gives them up before the attempt is over.
   * @param compose makes the statements, at the last moment.
   */
  change(operation: string, compose: () => readonly string[], options?: ChangeOptions): Promise<Rows>;
}

export interface ChangeOptions {
  readonly where?: Whereto;
  /** After which the server itself gives it up, in milliseconds. Default: the pace's. Never beyond the attempt. */
  readonly statementMs?: number;
  /** For what PostgreSQL does only outside of a transaction: the one statement goes without time-outs of its own. */
  readonly alone?: boolean;
}

export interface CallContext {
  readonly sessions: Sessions;
  readonly throttle: IntegrationDeps['throttle'];
  readonly pace: Pace;
  readonly home: Whereto;
}

/** How often a statement is sent that only had bad luck with another one. */
const MAX_TRIES = 4;

/** What the server is left with when an attempt is nearly over. */
const LEAST_MS = 500;

/**
 * Opens the way for whoever has no attempt, and so may only read.
 * @param entity the role that the comments and errors are to name.
 */
export function openReader(context: CallContext, signal: AbortSignal, entity?: string): Reader {
  const { sessions, throttle, pace, home } = context;
  return {
    async read(operation, statements, where = home) {
      const subject = { operation, ...(entity === undefined ? {} : { entity }) };
      const ask = async (): Promise<Rows> => {
        await throttle(signal);
        return sessions.use(where, signal, (client) =>
          unlessAborted(signal, within(pace.readMs, subject, send(client, subject, statements))),
        );
      };
      try {
        return await ask().catch((error: unknown) => {
          if (!isConnectionLost(error)) throw error;
          // It may have been dead for long. Every verb reads first, so its changes find none of these.
          sessions.dropIdle();
          return ask();
        });
      } catch (error) {
        signal.throwIfAborted();
        throw toIntegrationError(error, subject);
      }
    },
  };
}

/** @param entity the role that the comments and errors are to name. */
export function openCalls(context: CallContext, attempt: Attempt, entity: string): Calls {
  const { sessions, throttle, pace, home } = context;
  const { fence } = attempt;

  const time = timeOf(attempt);

  async function changeOnce(
    operation: string,
    compose: () => readonly string[],
    { where = home, statementMs = pace.statementMs, alone = false }: ChangeOptions,
  ): Promise<Rows> {
    const subject = { operation, entity };
    const progress: { stage: 'waiting' | 'passing' | 'sent' } = { stage: 'waiting' };
    await throttle(fence.signal);
    try {
      return await sessions.use(where, fence.signal, async (client) => {
        progress.stage = 'passing';
        await fence.pass(operation);
        progress.stage = 'sent';
        if (!fence.holds()) {
          fence.withdraw();
          throw lostFence(subject);
        }
        const left = time.remaining() - 2 * pace.graceMs;
        const serverMs = Math.max(LEAST_MS, Math.min(left, statementMs));
        const limits = alone ? [] : limit(serverMs, pace);
        const rows = await within(serverMs + pace.graceMs, subject, send(client, subject, [...limits, ...compose()]));
        return rows.slice(limits.length);
      });
    } catch (error) {
      if (progress.stage === 'passing') throw error;
      if (progress.stage === 'waiting') fence.signal.throwIfAborted();
      if (isDefiniteRefusal(error)) fence.withdraw();
      throw toIntegrationError(error, subject);
    }
  }

  return {
    ...openReader(context, fence.signal, entity),
    attempt,
    entity,
    pace,
    home,
    async change(operation, compose, options = {}) {
      for (let tries = 1; ; tries += 1) {
        try {
          return await changeOnce(operation, compose, options);
        } catch (error) {
          if (!isCollision(error) || tries === MAX_TRIES || time.remaining() < pace.statementMs) throw error;
        }
        await time.pause(Math.random() * 100 * tries);
      }
    },
    ...time,
  };
}

function limit(serverMs: number, pace: Pace): string[] {
  const ms = Math.floor(serverMs);
  return [`SET LOCAL statement_timeout = ${ms}`, `SET LOCAL lock_timeout = ${Math.min(ms, pace.lockMs)}`];
}

/** @throws IntegrationError `Refused` when a grant was passed over: PostgreSQL only warns of that. */
async function send(client: Client, subject: Subject, statements: readonly string[]): Promise<Rows> {
  const { operation, entity } = subject;
  // What is listed has whatever name somebody gave it, and could end the comment.
  const about = entity === undefined ? operation : `${operation} ${entity.replace(/[^A-Za-z0-9_-]/g, '?')}`;
  const warnings = new Set<string | undefined>();
  const watch = ({ code }: NoticeMessage): void => {
    warnings.add(code);
  };
  client.on('notice', watch);
  try {
    const results: unknown = await client.query(`/* leasehold ${about} */ ${statements.join('; ')}`);
    if (warnings.has(NOT_GRANTED_CODE)) {
      throw new IntegrationError('Refused', { ...subject, code: NOT_GRANTED_CODE, hint: NOT_GRANTED });
    }
    return (Array.isArray(results) ? (results as QueryResult<Row>[]) : [results as QueryResult<Row>]).map(
      ({ rows }) => rows,
    );
  } finally {
    client.off('notice', watch);
  }
}

function within<T>(milliseconds: number, subject: Subject, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new IntegrationError('Unavailable', { ...subject, hint: 'The server did not answer in time.' }));
    }, milliseconds);
    answer.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}

function unlessAborted<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    answer.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}
