import type { Moment, Plan } from './plan-types';

/** One wakes, and its lease is in force for a while, before the next one is stopped: while both workers are, nobody takes over. */
const EVERY_MS = 11_000;
/** Shorter than a call may take, and as long as it can be, so that a successor has delivered when the attempt wakes. */
const FOR_MS = 7_000;
const TTL_MS = 20_000;
/** Until the fault is waiting. */
const AFTER_MS = 300;

/**
 * Attempts that are stopped when they have looked and found nothing, and wake when others have delivered. What they do then, by what
 * they saw, nothing but the fence can hold up: of a role they find that it is there, and set another password.
 */
export function zombies(durationMs: number): Plan {
  const count = Math.max(1, Math.floor(durationMs / EVERY_MS));
  return Array.from({ length: count }, (_, index) => index * EVERY_MS).flatMap((atMs): Moment[] => [
    {
      atMs,
      fault: {
        do: 'stop-at-call',
        process: 'worker-1',
        integration: 'database',
        phase: 'after',
        at: 'look',
        forMs: FOR_MS,
      },
    },
    {
      atMs: atMs + AFTER_MS,
      operation: {
        do: 'issue',
        holder: 'ada',
        integration: 'database',
        ttlMs: TTL_MS,
        through: 'api-1',
        times: 1,
        hangUpAfterMs: null,
      },
    },
  ]);
}
