import { defaultPayloadConverter } from '@temporalio/common';
import type { ActivateInput, Next, WorkflowInterceptors, WorkflowInternalsInterceptor } from '@temporalio/workflow';

interface Message {
  input?: Parameters<typeof defaultPayloadConverter.fromPayload>[0][] | null;
}

/**
 * Takes what cannot be read in a signal or an update for no input. Signals are sent by people too, whose dialog lets them choose an
 * encoding that this SDK does not know: it would fail every task of the workflow from then on, so that a lease that was to be
 * revoked could not even expire.
 */
class ReadableInput implements WorkflowInternalsInterceptor {
  activate(input: ActivateInput, next: Next<WorkflowInternalsInterceptor, 'activate'>): void {
    for (const { signalWorkflow, doUpdate } of input.activation.jobs ?? []) {
      for (const message of [signalWorkflow, doUpdate]) if (message != null) empty(message);
    }
    next(input);
  }
}

function empty(message: Message): void {
  try {
    for (const payload of message.input ?? []) defaultPayloadConverter.fromPayload(payload);
  } catch {
    // Which of the arguments are missing then does not matter: all handlers take one.
    message.input = [];
  }
}

export function interceptors(): WorkflowInterceptors {
  return { internals: [new ReadableInput()] };
}
