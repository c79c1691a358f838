import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { isGrpcServiceError } from '@temporalio/client';
import type { Attempt, EntityMark, Fence } from './integrations/integration';
import { IntegrationError } from './integrations/integration';

/** The attempt no longer owns the lease: it was cancelled, its time is over, or a successor has taken its place. */
export class AttemptStopped extends Error {
  override readonly name = 'AttemptStopped';
}

/** One attempt of an activity, heartbeating until it is closed. */
export interface GuardedAttempt {
  readonly attempt: Attempt;
  /** How many mutating calls were begun and not surely without effect. */
  mutations(): number;
  close(): void;
}

const GRPC_NOT_FOUND = 5;
const HEARTBEAT_EVERY_MS = 2_000;
/** How long Temporal may take to confirm. A connection that swallows everything must not hold an attempt for ever. */
export const ANSWER_WITHIN_MS = 5_000;
/** What a request may need to get from the last check to the provider. */
const MARGIN_MS = 1_500;
/**
 * For how long at most a change may follow on what Temporal said. Short also where an attempt may be silent for long: its silence is not
 * all that ends it, and of the rest the worker need not learn in time.
 */
const LONGEST_GRANT_MS = 8_000 - MARGIN_MS;

/** Starts heartbeating and answers what an integration needs in order to be stopped in time. */
export function guardAttempt(context: Context, mark: EntityMark): GuardedAttempt {
  const { info } = context;
  const begun = instant();
  const lastsMs = timeLeft(info);
  const grantMs = Math.min((info.heartbeatTimeoutMs ?? lastsMs) - MARGIN_MS, LONGEST_GRANT_MS);
  const deadline = new Date(begun.wall + lastsMs);
  // Not AbortSignal.timeout: Node forgets a signal that only AbortSignal.any refers to, and it never aborts.
  const timeUp = new AbortController();
  const timer = setTimeout(() => {
    timeUp.abort(new DOMException('The time of this attempt is over.', 'TimeoutError'));
  }, lastsMs);
  const signal = AbortSignal.any([context.cancellationSignal, timeUp.signal]);
  const heartbeat = setInterval(() => {
    context.heartbeat();
  }, HEARTBEAT_EVERY_MS);
  let mutations = 0;
  let grantedAt = instant();

  const fence: Fence = {
    signal,
    pass: async (operation) => {
      if (signal.aborted) throw new AttemptStopped(`The attempt was over before ${operation}.`);
      const asked = instant();
      await askTemporal(context, operation);
      grantedAt = asked;
      mutations += 1;
    },
    withdraw: () => {
      mutations -= 1;
    },
    // The signal of an attempt that was stopped aborts only some time after it has woken.
    holds: () => !signal.aborted && since(begun) < lastsMs && since(grantedAt) < grantMs,
  };
  return {
    attempt: { ...mark, fence, deadline },
    mutations: () => mutations,
    close: () => {
      clearTimeout(timer);
      clearInterval(heartbeat);
    },
  };
}

/**
 * How long an attempt that begins now may take: no longer than its activity, which ends at the server with all attempts. Both instants are
 * the server's, whose clock the worker's own need not be. How long the attempt waited for a worker they do not tell.
 */
function timeLeft(info: Context['info']): number {
  const { startToCloseTimeoutMs, scheduleToCloseTimeoutMs, scheduledTimestampMs, currentAttemptScheduledTimestampMs } =
    info;
  // 0: there is no end to the attempts.
  if (scheduleToCloseTimeoutMs === 0) return startToCloseTimeoutMs;
  const gone = Math.max(0, currentAttemptScheduledTimestampMs - scheduledTimestampMs);
  return Math.min(startToCloseTimeoutMs, Math.max(0, scheduleToCloseTimeoutMs - gone));
}

/**
 * The same attempt, which before each change must besides find that what it acts upon still is as it was: a probe or a sweep
 * owns its own activity and not the lease.
 * @param check rejects if it is not.
 */
export function alsoRequire(attempt: Attempt, check: () => Promise<void>): Attempt {
  const { fence } = attempt;
  let checkedAt = instant();
  return {
    ...attempt,
    fence: {
      ...fence,
      pass: async (operation) => {
        const asked = instant();
        await check();
        checkedAt = asked;
        await fence.pass(operation);
      },
      holds: () => fence.holds() && since(checkedAt) < LONGEST_GRANT_MS,
    },
  };
}

/**
 * A raw heartbeat with the attempt's own token. The SDK's heartbeat is throttled and answers nothing.
 *
 * It is asked right before each change, though it costs Temporal a write: an answer that is used for the next change too, or asked for
 * during the look before the first, may be older than the end of the provision, and a removal that has found and removed something
 * meanwhile does not look again.
 */
async function askTemporal(context: Context, operation: string): Promise<void> {
  try {
    const { client, info } = context;
    const answer = await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      client.workflowService.recordActivityTaskHeartbeat({ namespace: info.namespace, taskToken: info.taskToken }),
    );
    if (answer.cancelRequested || answer.activityReset)
      throw new AttemptStopped(`The attempt was cancelled before ${operation}.`);
  } catch (error) {
    if (error instanceof AttemptStopped) throw error;
    if (isGrpcServiceError(error) && (error.code as number) === GRPC_NOT_FOUND) {
      throw new AttemptStopped(`Another attempt has taken over before ${operation}.`);
    }
    throw new IntegrationError('Unavailable', {
      operation,
      hint: 'Temporal did not confirm that the attempt is still valid.',
    });
  }
}

interface Instant {
  readonly wall: number;
  readonly monotonic: number;
}

function instant(): Instant {
  return { wall: Date.now(), monotonic: performance.now() };
}

/** The longer of two clocks: the monotonic one stands still while a machine sleeps, the other one can be set back. */
function since(earlier: Instant): number {
  return Math.max(Date.now() - earlier.wall, performance.now() - earlier.monotonic);
}

/** What a wait or a read throws when the attempt's signal aborts says nothing else than that. */
export function stopOf(error: unknown, attempt: Attempt): AttemptStopped | undefined {
  if (!attempt.fence.signal.aborted || error instanceof ApplicationFailure) return undefined;
  return new AttemptStopped(
    'The attempt was stopped: it was cancelled, its time was over, or its worker is shutting down.',
  );
}
