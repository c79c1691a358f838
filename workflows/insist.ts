import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';

/**
 * Runs an activity that retries by itself for ever. It can then only fail by hand, from the Web UI or the command line, which
 * must end neither a lease nor an incident: it is run again.
 */
export async function insist<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
      await sleep('10s', { summary: 'before what was failed by hand is tried again' });
    }
  }
}
