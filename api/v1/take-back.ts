import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiDeps } from '../deps';

/** Ends a lease whose credential will not reach who asked for it. Never fails. */
export type TakeBack = (leaseId: string, holder: string) => Promise<void>;

const ATTEMPTS = 3;
const PAUSE_MS = 1_000;

/** Revokes what will not reach its holder. What Temporal does not take after some attempts ends by its TTL, and is logged. */
export function createTakeBack({ leases, logger }: Pick<ApiDeps, 'leases' | 'logger'>): TakeBack {
  return async (leaseId, holder) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await leases.revoke(leaseId, { by: holder, reason: 'undelivered' });
        return;
      } catch (error) {
        if (attempt < ATTEMPTS) {
          await sleep(PAUSE_MS * attempt);
          continue;
        }
        logger.error({ error, leaseId }, 'A lease that reached nobody could not be revoked.');
        return;
      }
    }
  };
}
