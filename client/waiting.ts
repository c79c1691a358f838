import { grpcStatusOf } from '../temporal/service';
import { Interrupted, waitWithin } from './bounds';
import type { Bounds } from './bounds';
import type { Session } from './session';

export { boundsOf, Interrupted, pause } from './bounds';
export type { Bounds } from './bounds';

/**
 * Runs requests to Temporal so that none is waited for beyond the bounds.
 * @throws Interrupted at the deadline or on abort; the request itself may still be under way then, at most to the deadline.
 */
export function within<T>(session: Pick<Session, 'client'>, bounds: Bounds, call: () => Promise<T>): Promise<T> {
  return waitWithin(bounds, () => session.client.withDeadline(bounds.deadline, call));
}

/**
 * Whether a call was given up because its time was over. The server calls it cancelled where its own clock was quicker than ours;
 * a caller's abort is told apart before it gets here.
 */
export function isTooLate(error: unknown): boolean {
  if (error instanceof Interrupted) return error.why === 'timeout';
  const status = grpcStatusOf(error);
  return status === 'deadlineExceeded' || status === 'cancelled';
}
