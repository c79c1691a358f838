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

type IamCommand<I extends ServiceInputTypes, O extends ServiceOutputTypes> = $Command<
  I,
  O,
  IAMClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>;

/** One attempt's way to IAM. Each call waits for the integration's rate first and fails with an {@link IntegrationError}. */
export interface Calls {
  readonly attempt: Attempt;
  /** A call that changes nothing. Given up when the attempt ends. */
  read<I extends ServiceInputTypes, O extends ServiceOutputTypes>(command: IamCommand<I, O>): Promise<O>;
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

/** @param entity the user that errors are to name. */
export function openCalls(context: CallContext, attempt: Attempt, entity: string): Calls {
  const { client, credentials, throttle } = context;
  const { fence } = attempt;

  function describe(error: unknown, operation: string): IntegrationError {
    const described = toIntegrationError(error, { operation, entity });
    if (areCredentialsRefused(described)) credentials.forget();
    return described;
  }

  return {
    attempt,
    async read(command) {
      await throttle(fence.signal);
      try {
        return await client.send(command, { abortSignal: fence.signal });
      } catch (error) {
        fence.signal.throwIfAborted();
        throw describe(error, operationOf(command));
      }
    },
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
        const described = describe(error, operation);
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

function operationOf(command: object): string {
  return command.constructor.name.replace(/Command$/, '');
}
