/** Whether this run takes its time and tries everything, as `npm run test:long` does. */
export const isFull = process.env['LEASEHOLD_TEST_FULL'] === '1';

/** The number for a run that takes its time, or the smaller one for the run that everybody waits for. */
export function inFull(full: number, short: number): number {
  return isFull ? full : short;
}
