import type { Config } from '../config/load';
import type { Expected } from '../telemetry/metrics';
import type { ProviderErrorType, SweepReason } from '../workflows/contract';
import { LEASE_FAILURE_TYPES } from '../workflows/words';

/** Counted as errors; that absence is not proven yet is none. */
const ERRORS: Readonly<Record<Exclude<ProviderErrorType, 'AbsenceUnproven'>, true>> = {
  InvalidInput: true,
  Refused: true,
  QuotaExceeded: true,
  Throttled: true,
  Unavailable: true,
  NotFound: true,
};

const REASONS: Readonly<Record<SweepReason, true>> = {
  closed: true,
  late: true,
  unknown: true,
  'other installation': true,
};

/**
 * What a worker may come to count.
 * @param runsWorkflows whether it decides of leases, of whatever integration.
 * @param served integrations whose providers it calls.
 */
export function expectedOf(config: Config, runsWorkflows: boolean, served: readonly string[]): Expected {
  const providers = {
    integrations: served.flatMap((name) => {
      const settings = config.integrations[name];
      return settings === undefined ? [] : [{ name, sweptEveryMs: settings.sweep.everyMs }];
    }),
    errors: Object.keys(ERRORS),
    reasons: Object.keys(REASONS),
  };
  if (!runsWorkflows) return { providers };
  return {
    providers,
    leases: { integrations: Object.keys(config.integrations), refusals: LEASE_FAILURE_TYPES },
    webhooks: config.alerts.webhooks.map(({ name }) => name),
  };
}
