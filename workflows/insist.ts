import { CancellationScope, CancelledFailure, isCancellation, sleep } from '@temporalio/workflow';

/**
 * Runs an activity that retries by itself for ever. It can then only fail by hand, from the Web UI or the command line, which
 * must end neither a lease nor an incident: it is run again.
 */
export async function insist<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (isCancellation(error)) throw error;
      // An attempt that was under way when its scope was cancelled ends by its own failure, and is not retried.
      if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('It was not needed any more.');
      await sleep('10s', { summary: 'before what was failed by hand is tried again' });
    }
  }
}
