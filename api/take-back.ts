import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseError } from '../client/leases';
import type { ApiDeps } from './deps';

/** Ends a lease whose credential will not reach who asked for it. Never fails. */
export type TakeBack = (leaseId: string, holder: string) => Promise<void>;

export const UNDELIVERED = 'undelivered';

const GIVE_UP_AFTER_MS = 15_000;
const AGAIN_AFTER_MS = 500;

export function createTakeBack({ leases, logger }: Pick<ApiDeps, 'leases' | 'logger'>): TakeBack {
  return (leaseId, holder) =>
    takeBack({ logger }, leaseId, () => leases.revoke(leaseId, { by: holder, reason: UNDELIVERED }));
}

/**
 * Revokes what will not reach its holder, again and again until that is accepted. What is not accepted in time ends by its TTL, and
 * is logged. Never fails.
 */
export async function takeBack(
  { logger }: Pick<ApiDeps, 'logger'>,
  leaseId: string,
  revoke: () => Promise<unknown>,
): Promise<void> {
  for (const end = Date.now() + GIVE_UP_AFTER_MS; ;) {
    try {
      await revoke();
      return;
    } catch (error) {
      if (error instanceof LeaseError && ['LeaseEnded', 'LeaseNotFound'].includes(error.code)) return;
      if (Date.now() >= end) {
        logger.error({ error, leaseId }, 'A lease that nobody got could not be revoked: it ends by its TTL.');
        return;
      }
      await sleep(AGAIN_AFTER_MS);
    }
  }
}
