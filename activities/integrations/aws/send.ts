import type { Fence, IntegrationDeps } from '../integration';
import { lostFence } from '../own-errors';
import type { IntegrationError } from '../integration';
import type { OrchestratorCredentials } from './credentials';
import { areCredentialsRefused, isDefiniteRefusal, isDenied, toIntegrationError } from './errors';
import type { Subject } from './errors';

/** What every call to AWS needs beside its client. */
export interface SendContext {
  readonly credentials: OrchestratorCredentials;
  readonly throttle: IntegrationDeps['throttle'];
}

/** A call that changes nothing: waits for the integration's rate, and is given up when the signal says so. */
export async function sendRead<O>(
  context: SendContext,
  signal: AbortSignal,
  subject: Subject,
  send: () => Promise<O>,
): Promise<O> {
  await context.throttle(signal);
  return waitFor(context, signal, subject, send);
}

/**
 * A call that creates, changes or deletes: waits for the integration's rate and for the credentials, is sent only while the
 * fence lets it pass and, once sent, never aborted.
 * @param send is given what must run right before the request leaves: see {@link beforeSending}.
 */
export async function sendChange<O>(
  context: SendContext,
  fence: Fence,
  subject: Subject,
  send: (check: () => void) => Promise<O>,
): Promise<O> {
  await context.throttle(fence.signal);
  // The client asks for them after the fence, which does not hold for as long as their source may take.
  await waitFor(context, fence.signal, subject, context.credentials.provide);
  await fence.pass(subject.operation);
  try {
    return await send(() => {
      if (fence.holds()) return;
      fence.withdraw();
      throw lostFence(subject);
    });
  } catch (error) {
    const described = describeFailure(context, error, subject);
    if (isDefiniteRefusal(described)) fence.withdraw();
    throw described;
  }
}

/** Waits for what changes nothing, up to the signal. The client itself, whatever signal it has, waits for credentials to the end. */
async function waitFor<O>(
  context: SendContext,
  signal: AbortSignal,
  subject: Subject,
  act: () => Promise<O>,
): Promise<O> {
  signal.throwIfAborted();
  const over = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', reject, { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([act(), aborted]);
  } catch (error) {
    signal.throwIfAborted();
    throw describeFailure(context, error, subject);
  } finally {
    over.abort();
  }
}

/** The innermost place, after credentials and signature: between here and the socket no time can go by unnoticed. */
export const INNERMOST = { step: 'deserialize', priority: 'low', name: 'leaseholdFence' } as const;

/** Middleware for {@link INNERMOST}. */
export function beforeSending(check: () => void) {
  return <A, R>(next: (args: A) => Promise<R>) =>
    (args: A): Promise<R> => {
      check();
      return next(args);
    };
}

/** In our words. Credentials that were refused are forgotten, those of a denied call doubted: newer ones may be at hand. */
export function describeFailure(
  { credentials }: Pick<SendContext, 'credentials'>,
  error: unknown,
  subject: Subject,
): IntegrationError {
  const described = toIntegrationError(error, subject);
  if (areCredentialsRefused(described)) credentials.forget();
  if (isDenied(described)) credentials.doubt();
  return described;
}

/** AWS's name of what a command asks for, e.g. `GetUser`. */
export function operationOf(command: object): string {
  return command.constructor.name.replace(/Command$/, '');
}
