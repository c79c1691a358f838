import { workflowInfo } from '@temporalio/workflow';

const LONGER_THAN_THE_DEFAULT_MS = 6_000;

/** As a workflow looks to its worker that was frozen in the middle of it: its script has not given way for this long. */
export async function longComputation(): Promise<string> {
  const { unsafe } = workflowInfo();
  const end = unsafe.now() + LONGER_THAN_THE_DEFAULT_MS;
  while (unsafe.now() < end);
  return 'went on';
}
