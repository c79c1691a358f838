import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import type { ActivateInput, Next, WorkflowInterceptors, WorkflowInternalsInterceptor } from '@temporalio/workflow';

/** The type of the failure with which a query is answered that came before the workflow took in what happened meanwhile. */
export const NOT_CAUGHT_UP = 'NotCaughtUp';

/** Where in its history a run was when it last went on. */
interface Place {
  readonly length: number;
  readonly size: number;
  readonly now: number;
}

/**
 * Lets a workflow go on in workflow tasks only. A worker that answers a query reads the history up to its end, and events may have
 * come in since the last task: the SDK would run the workflow on over these, with the clock of the last task, write audit lines
 * again and again, and keep what was decided so for the next task. A lease issued at such a time would be counted from too early and
 * sleep for too long. Such a query fails instead, the worker forgets the run, and the next task starts from history.
 *
 * A task always begins with an event that carries a new time and the size of the history; events beyond it come without either. Not
 * told apart is a run that was closed while a task of it was under way or had just failed: then the beginning of that task is there.
 * A query of such a run goes on, and its audit lines bear the ids that the task's would.
 */
class TaskGuard implements WorkflowInternalsInterceptor {
  private last: Place | null = null;

  activate(input: ActivateInput, next: Next<WorkflowInternalsInterceptor, 'activate'>): void {
    const isQuery = input.activation.jobs?.some((job) => job.queryWorkflow != null) ?? false;
    if (!isQuery) this.goOn();
    next(input);
  }

  private goOn(): void {
    const { historyLength: length, historySize: size, unsafe } = workflowInfo();
    const here: Place = { length, size, now: Date.now() };
    if (this.last !== null && !unsafe.isReplaying && isBeyondTask(this.last, here)) {
      throw ApplicationFailure.nonRetryable(
        'Something has happened that this workflow has not taken in yet. Ask again in a moment.',
        NOT_CAUGHT_UP,
      );
    }
    this.last = here;
  }
}

/** A size of 0 is that of a server which does not tell it. */
function isBeyondTask(last: Place, here: Place): boolean {
  return here.length > last.length && here.size === last.size && here.size > 0 && here.now === last.now;
}

export function interceptors(): WorkflowInterceptors {
  return { internals: [new TaskGuard()] };
}
