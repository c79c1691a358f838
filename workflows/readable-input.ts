import { defaultPayloadConverter } from '@temporalio/common';
import type { ActivateInput, Next, WorkflowInterceptors, WorkflowInternalsInterceptor } from '@temporalio/workflow';

type Payload = Parameters<typeof defaultPayloadConverter.fromPayload>[0];

/**
 * Takes what cannot be read in a signal, an update or a start for no input. Signals are sent by people too, whose dialog lets them
 * choose an encoding that this SDK does not know: it would fail every task of the workflow from then on, so that a lease that was to
 * be revoked could not even expire.
 */
class ReadableInput implements WorkflowInternalsInterceptor {
  activate(input: ActivateInput, next: Next<WorkflowInternalsInterceptor, 'activate'>): void {
    for (const { signalWorkflow, doUpdate, initializeWorkflow } of input.activation.jobs ?? []) {
      if (signalWorkflow != null) signalWorkflow.input = readable(signalWorkflow.input);
      if (doUpdate != null) doUpdate.input = readable(doUpdate.input);
      if (initializeWorkflow != null) initializeWorkflow.arguments = readable(initializeWorkflow.arguments);
    }
    next(input);
  }
}

/** Up to the first that cannot be read: handlers read the first. */
function readable<P extends Payload>(payloads: P[] | null | undefined): P[] | null {
  if (payloads == null) return null;
  const unreadable = payloads.findIndex((payload) => !isReadable(payload));
  return unreadable < 0 ? payloads : payloads.slice(0, unreadable);
}

function isReadable(payload: Payload): boolean {
  try {
    defaultPayloadConverter.fromPayload(payload);
    return true;
  } catch {
    return false;
  }
}

export function interceptors(): WorkflowInterceptors {
  return { internals: [new ReadableInput()] };
}
