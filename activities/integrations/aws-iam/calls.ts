import { setTimeout as sleep } from 'node:timers/promises';
import type {
  $Command,
  IAMClient,
  IAMClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes,
} from '@aws-sdk/client-iam';
import { IntegrationError } from '../integration';
import type { Attempt, IntegrationDeps } from '../integration';
import type { OrchestratorCredentials } from './credentials';
import { areCredentialsRefused, isDefiniteRefusal, toIntegrationError } from './errors';

export type IamCommand<I extends ServiceInputTypes, O extends ServiceOutputTypes> = $Command<
  I,
  O,
  IAMClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>;

/** A way to IAM. Each call waits for the integration's rate first and fails with an {@link IntegrationError}. */
export interface Reader {
  /** A call that changes nothing. Given up when the signal says so. */
  read<I extends ServiceInputTypes, O extends ServiceOutputTypes>(command: IamCommand<I, O>): Promise<O>;
}

/** One attempt's way to IAM; what it reads is given up when the attempt ends. */
export interface Calls extends Reader {
  readonly attempt: Attempt;
  /** A call that creates, changes or deletes. Sent only while the fence lets it pass; once sent, never aborted. */
  change<I extends ServiceInputTypes, O extends ServiceOutputTypes>(command: IamCommand<I, O>): Promise<O>;
  /** Waits, in milliseconds, but not beyond the attempt. */
  pause(milliseconds: number): Promise<void>;
  /** Milliseconds until the attempt is over. */
  remaining(): number;
}

export interface CallContext {
  readonly client: IAMClient;
  readonly credentials: OrchestratorCredentials;
  readonly throttle: IntegrationDeps['throttle'];
}

/**
 * Opens the way for whoever has no attempt, and so may only read.
 * @param entity the user that errors are to name.
 */
export function openReader(context: CallContext, signal: AbortSignal, entity?: string): Reader {
  const { client, throttle } = context;
  return {
    async read(command) {
      await throttle(signal);
      try {
        return await client.send(command, { abortSignal: signal });
      } catch (error) {
        signal.throwIfAborted();
        throw describeFailure(context, error, operationOf(command), entity);
      }
    },
  };
}

/** @param entity the user that errors are to name. */
export function openCalls(context: CallContext, attempt: Attempt, entity: string): Calls {
  const { client, throttle } = context;
  const { fence } = attempt;
  return {
    ...openReader(context, fence.signal, entity),
    attempt,
    async change(command) {
      const operation = operationOf(command);
      await throttle(fence.signal);
      await fence.pass(operation);
      // The innermost place, after credentials and signature: between here and the socket no time can go by unnoticed.
      command.middlewareStack.add(
        (next) => (args) => {
          if (!fence.holds()) {
            fence.withdraw();
            throw lostFence(operation, entity);
          }
          return next(args);
        },
        { step: 'deserialize', priority: 'low', name: 'leaseholdFence' },
      );
      try {
        return await client.send(command);
      } catch (error) {
        const described = describeFailure(context, error, operation, entity);
        if (isDefiniteRefusal(described)) fence.withdraw();
        throw described;
      }
    },
    async pause(milliseconds) {
      try {
        await sleep(milliseconds, undefined, { signal: fence.signal });
      } catch (error) {
        fence.signal.throwIfAborted();
        throw error;
      }
    },
    remaining: () => attempt.deadline.getTime() - Date.now(),
  };
}

function lostFence(operation: string, entity: string): IntegrationError {
  return new IntegrationError('Unavailable', {
    operation,
    entity,
    hint: 'Nothing was sent: too much time went by since this attempt last proved that the lease is its own.',
  });
}

/** In our words. Credentials that were refused are forgotten: newer ones may be at hand. */
export function describeFailure(
  { credentials }: CallContext,
  error: unknown,
  operation: string,
  entity?: string,
): IntegrationError {
  const described = toIntegrationError(error, { operation, ...(entity === undefined ? {} : { entity }) });
  if (areCredentialsRefused(described)) credentials.forget();
  return described;
}

/** IAM's name of what a command asks for, e.g. `GetUser`. */
export function operationOf(command: object): string {
  return command.constructor.name.replace(/Command$/, '');
}
