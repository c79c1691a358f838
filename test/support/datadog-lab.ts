import { startDatadogEmulator } from '../../dev/datadog-emulator/datadog-emulator';
import type { DatadogEmulator } from '../../dev/datadog-emulator/datadog-emulator';
import { NO_SCHEDULED_SWEEP, openBaseLab, QUICK_TIMINGS } from './base-lab';
import type { BaseLab } from './base-lab';

/** A base lab with a Datadog organization. */
export interface DatadogLab extends BaseLab {
  readonly emulator: DatadogEmulator;
}

/** Names of the dynamic secrets: a pair, and one for each kind alone. */
export const PAIR = { project: 'backend', config: 'prd', dynamicSecret: 'DATADOG', holder: 'tester' } as const;
export const API = { ...PAIR, dynamicSecret: 'DATADOG_API' } as const;
export const APPLICATION = { ...PAIR, dynamicSecret: 'DATADOG_APP' } as const;

/** @param hook URL of a webhook for alerts. */
export async function openDatadogLab(hook: string): Promise<DatadogLab> {
  const emulator = await startDatadogEmulator();
  const application = { service_account: emulator.serviceAccountId, scopes: ['dashboards_read'] };
  const secret = (parameters: object) => ({ integration: 'datadog', min_ttl: '1s', max_ttl: '1h', parameters });
  const lab = await openBaseLab({
    config: {
      version: 1,
      alerts: { webhooks: [{ url: hook, format: 'json' }] },
      integrations: {
        datadog: {
          type: 'datadog',
          connection: { endpoint: emulator.url, api_key: 'env:LAB_API', app_key: 'env:LAB_APP' },
          limits: { calls_per_second: 100, provisions: 20, deprovisions: 20 },
          timings: QUICK_TIMINGS,
          sweep: { ...NO_SCHEDULED_SWEEP, grace: '0s' },
        },
      },
      projects: {
        backend: {
          configs: {
            prd: {
              dynamic_secrets: {
                DATADOG: secret(application),
                DATADOG_API: secret({ keys: 'api' }),
                DATADOG_APP: secret({ keys: 'application', ...application }),
              },
            },
          },
        },
      },
    },
    environment: { LAB_API: emulator.apiKey, LAB_APP: emulator.applicationKey },
  });
  return {
    ...lab,
    emulator,
    close: async () => {
      await lab.close();
      await emulator.stop();
    },
  };
}
