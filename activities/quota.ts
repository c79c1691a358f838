import type { Config } from '../config/load';
import type { Metrics } from '../telemetry/metrics';
import type { Connections } from './connections';
import { IntegrationError } from './integrations/integration';
import type { Quota } from './integrations/integration';

/** Keeps issues away from a provider that has no room left, so that they fail at once and in plain words. */
export interface QuotaGate {
  /** @throws IntegrationError `QuotaExceeded` if fewer than the reserve would be left. */
  pass(integration: string): Promise<void>;
}

interface Known {
  readonly quota: Quota | null;
  readonly askedAt: number;
  /** Let through since then. */
  passed: number;
}

const KNOWN_FOR_MS = 30_000;
const ASK_TIMEOUT_MS = 10_000;

/** @param metrics tell what was found: the limit without what is kept free of it. */
export function createQuotaGate(config: Config, connections: Connections, metrics: Pick<Metrics, 'quota'>): QuotaGate {
  const known = new Map<string, Known>();
  const asking = new Map<string, Promise<Known>>();
  const reserveOf = (integration: string): number => config.integrations[integration]?.limits.quotaReserve ?? 0;

  const ask = async (integration: string): Promise<Known> => {
    // Of nobody's attempt: others wait for the same answer.
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
    const quota = await connections
      .open(integration)
      .quota(signal)
      .catch((error: unknown) => {
        throw signal.aborted ? new IntegrationError('Unavailable', { operation: 'The look at the quota' }) : error;
      });
    const fresh = { quota, askedAt: performance.now(), passed: 0 };
    known.set(integration, fresh);
    if (quota !== null) metrics.quota(integration, quota.used, Math.max(0, quota.limit - reserveOf(integration)));
    return fresh;
  };

  const recall = async (integration: string): Promise<Known> => {
    const last = known.get(integration);
    if (last !== undefined && performance.now() - last.askedAt < KNOWN_FOR_MS) return last;
    let shared = asking.get(integration);
    if (shared === undefined) {
      shared = ask(integration).finally(() => {
        asking.delete(integration);
      });
      asking.set(integration, shared);
    }
    return shared;
  };

  return {
    pass: async (integration) => {
      const state = await recall(integration);
      if (state.quota === null) return;
      const { what, used, limit } = state.quota;
      const reserve = reserveOf(integration);
      const left = limit - used - state.passed;
      if (left > reserve) {
        state.passed += 1;
        return;
      }
      const kept = reserve === 0 ? '' : `, of which ${String(reserve)} are kept free (quota_reserve)`;
      throw new IntegrationError('QuotaExceeded', {
        operation: 'The look at the quota',
        hint: `${String(Math.max(0, left))} of ${String(limit)} are left: ${what}${kept}. End leases or raise the limit.`,
      });
    },
  };
}
