import { integrationTypes } from '../../../activities/integrations/registry';
import { configText, INTEGRATION, WHAT } from '../../../bench/deployment-config';
import type { ConfigOptions } from '../../../bench/deployment-config';
import { findDynamicSecret, parseConfig } from '../../../config/load';

const OPTIONS: ConfigOptions = {
  provider: { database: 'bench', group: 'bench_group', orchestrator: { user: 'orchestrator', password: 'CANARY' } },
  reach: { host: '127.0.0.1', port: 4_711 },
  limits: { callsPerSecond: 1_000, provisions: 50, deprovisions: 40 },
  tokenHash: `sha256:${'0'.repeat(64)}`,
};

const load = (options: Partial<ConfigOptions> = {}) =>
  parseConfig(configText({ ...OPTIONS, ...options }), integrationTypes, 'bench.yaml');

test('a bench leases by a configuration that worker and API take', () => {
  const config = load();
  const { project, config: name, dynamicSecret } = WHAT;
  expect(findDynamicSecret(config, project, name, dynamicSecret).ok).toBe(true);
  expect(config.api.requestsPerMinute).toBe(1_000_000);
  expect(config.integrations[INTEGRATION]).toMatchObject({
    connection: { host: '127.0.0.1', port: 4_711, pool_size: 5 },
    limits: { callsPerSecond: 1_000, provisions: 50, deprovisions: 40 },
  });
});

test('the size of the pool can be set', () => {
  expect(load({ poolSize: 30 }).integrations[INTEGRATION]).toMatchObject({ connection: { pool_size: 30 } });
});

test('no secret is in it', () => {
  expect(configText(OPTIONS)).not.toContain('CANARY');
});
