import type {
  $Command,
  IAMClient,
  IAMClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes,
} from '@aws-sdk/client-iam';
import type { Attempt } from '../integration';
import { timeOf } from '../time';
import type { AttemptTime } from '../time';
import type { Subject } from '../aws/errors';
import { beforeSending, INNERMOST, operationOf, sendChange, sendRead } from '../aws/send';
import type { SendContext } from '../aws/send';

export type IamCommand<I extends ServiceInputTypes, O extends ServiceOutputTypes> = $Command<
  I,
  O,
  IAMClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>;

/** A way to IAM. Each call waits for the integration's rate first and fails with an `IntegrationError`. */
export interface Reader {
  /** A call that changes nothing. Given up when the signal says so. */
  read<I extends ServiceInputTypes, O extends ServiceOutputTypes>(command: IamCommand<I, O>): Promise<O>;
}

/** One attempt's way to IAM; what it reads is given up when the attempt ends. */
export interface Calls extends Reader, AttemptTime {
  readonly attempt: Attempt;
  /** A call that creates, changes or deletes. Sent only while the fence lets it pass; once sent, never aborted. */
  change<I extends ServiceInputTypes, O extends ServiceOutputTypes>(command: IamCommand<I, O>): Promise<O>;
}

export interface CallContext extends SendContext {
  readonly client: IAMClient;
}

/**
 * Opens the way for whoever has no attempt, and so may only read.
 * @param entity the user that errors are to name.
 */
export function openReader(context: CallContext, signal: AbortSignal, entity?: string): Reader {
  const { client } = context;
  return {
    read: (command) =>
      sendRead(context, signal, subjectOf(command, entity), () => client.send(command, { abortSignal: signal })),
  };
}

/** @param entity the user that errors are to name. */
export function openCalls(context: CallContext, attempt: Attempt, entity: string): Calls {
  const { client } = context;
  const { fence } = attempt;
  return {
    ...openReader(context, fence.signal, entity),
    attempt,
    change: (command) =>
      sendChange(context, fence, subjectOf(command, entity), (check) => {
        command.middlewareStack.add(beforeSending(check), INNERMOST);
        return client.send(command);
      }),
    ...timeOf(attempt),
  };
}

function subjectOf(command: object, entity: string | undefined): Subject {
  return { operation: operationOf(command), ...(entity === undefined ? {} : { entity }) };
}
