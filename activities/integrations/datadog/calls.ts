import { IntegrationError } from '../integration';
import { lostFence } from '../own-errors';
import type { Attempt, IntegrationDeps } from '../integration';
import { timeOf } from '../time';
import type { AttemptTime } from '../time';
import { loadClient } from './client';
import type { DatadogClient } from './client';
import { apiUrl } from './connection';
import { describeAnswer, isDefiniteRefusal, unanswered, unreadable } from './errors';
import type { Subject } from './errors';
import type { Answer, Connections, ExchangeOptions } from './exchange';
import { ownKeys } from './own-keys';
import type { Keys, KeySource } from './own-keys';

/** Which keys and address a call of Datadog's client goes by. */
export type Configuration = ReturnType<DatadogClient['createConfiguration']>;

/** One call of Datadog's client. */
export interface Call<T> {
  /** By the client's own name of it, e.g. `CreateAPIKey`. */
  readonly operation: string;
  /** Datadog's name of the permission that it needs; null: none. */
  readonly permission: string | null;
  /** The service account without which it cannot succeed. */
  readonly owner?: string;
  send(client: DatadogClient, configuration: Configuration): Promise<T>;
}

/** A way to Datadog. Each call waits for the integration's rate first and fails with an {@link IntegrationError}. */
export interface Reader {
  /** A call that changes nothing. Given up when the signal says so. */
  read<T>(call: Call<T>): Promise<T>;
}

/** One attempt's way to Datadog; what it reads is given up when the attempt ends. */
export interface Calls extends Reader, AttemptTime {
  readonly attempt: Attempt;
  /** A call that creates or deletes. Sent only while the fence lets it pass; once sent, never aborted. */
  change<T>(call: Call<T>): Promise<T>;
}

export interface CallContext extends KeySource {
  readonly connections: Connections;
  readonly throttle: IntegrationDeps['throttle'];
}

/** Of one call, from connecting to the end of the answer. Temporal retries, after a look. */
const TIMEOUT_MS = 8_000;

/**
 * Opens the way for whoever has no attempt, and so may only read.
 * @param entity the name of the keys that errors are to name.
 * @param keys others than the orchestrator's own, to try those; over connections of their own.
 */
export function openReader(context: CallContext, signal: AbortSignal, entity?: string, keys?: Keys): Reader {
  return {
    async read(call) {
      await context.throttle(signal);
      const client = await loadClient(call.operation);
      const ways = { signal, timeoutMs: TIMEOUT_MS, beforeSending: nothing, reuse: keys === undefined };
      try {
        return await perform(
          context,
          client,
          call,
          subjectOf(call, entity),
          keys ?? ownKeys(context, call.operation),
          ways,
        );
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      }
    },
  };
}

/** @param entity the name of the keys that errors are to name. */
export function openCalls(context: CallContext, attempt: Attempt, entity: string): Calls {
  const { fence } = attempt;
  return {
    ...openReader(context, fence.signal, entity),
    attempt,
    async change(call) {
      const subject = subjectOf(call, entity);
      await context.throttle(fence.signal);
      const client = await loadClient(call.operation);
      const keys = ownKeys(context, call.operation);
      await fence.pass(call.operation);
      const wire = { isSent: false };
      const beforeSending = () => {
        if (!fence.holds()) throw lostFence(subject);
        wire.isSent = true;
      };
      try {
        return await perform(context, client, call, subject, keys, {
          timeoutMs: TIMEOUT_MS,
          beforeSending,
          reuse: true,
        });
      } catch (error) {
        if (!wire.isSent || (error instanceof IntegrationError && isDefiniteRefusal(error))) fence.withdraw();
        throw error;
      }
    },
    ...timeOf(attempt),
  };
}

/**
 * Sends through a transport of our own, under the vendor's client: that hides headers, knows no time-out, and puts whole
 * answers into its errors. So it gets to see successes only.
 */
async function perform<T>(
  { connection, connections }: CallContext,
  client: DatadogClient,
  call: Call<T>,
  subject: Subject,
  { apiKey, appKey }: Keys,
  options: ExchangeOptions,
): Promise<T> {
  const { createConfiguration, BaseServerConfiguration, ResponseContext } = client;
  const configuration = createConfiguration({
    // All of these are given, or the client would look for DD_SITE, DD_API_KEY and DD_APP_KEY in the environment.
    baseServer: new BaseServerConfiguration(apiUrl(connection), {}),
    authMethods: { apiKeyAuth: apiKey, appKeyAuth: appKey },
    enableRetry: false,
    httpApi: {
      send: async (request) => {
        const body = request.getBody();
        const answer = await connections.exchange(
          {
            url: request.getUrl(),
            method: request.getHttpMethod(),
            headers: request.getHeaders(),
            body: typeof body === 'string' ? body : undefined,
          },
          options,
        );
        if (answer.status < 200 || answer.status > 299) throw describeAnswer(answer, subject);
        if (!isReadable(answer)) throw unreadable(subject);
        return new ResponseContext(answer.status, { ...answer.headers }, bodyOf(answer));
      },
    },
  });
  try {
    return await call.send(client, configuration);
  } catch (error) {
    throw error instanceof IntegrationError ? error : unanswered(subject);
  }
}

/** The client takes what it cannot read for an answer without content. A list would then seem to be empty. */
function isReadable({ status, text }: Answer): boolean {
  if (status === 204) return true;
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null;
  } catch {
    return false;
  }
}

function bodyOf({ text }: Answer) {
  return { text: () => Promise.resolve(text), binary: () => Promise.resolve(Buffer.from(text)) };
}

function subjectOf({ operation, permission, owner }: Call<unknown>, entity: string | undefined): Subject {
  return { operation, permission, owner: owner ?? null, ...(entity === undefined ? {} : { entity }) };
}

function nothing(): void {
  return;
}
