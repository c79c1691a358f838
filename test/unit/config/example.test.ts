import { join } from 'node:path';
import { integrationTypes } from '../../../activities/integrations/registry';
import { findDynamicSecret, loadConfig } from '../../../config/load';

test('the annotated example loads as it is, with the real types', async () => {
  const config = await loadConfig(join(__dirname, '../../../leasehold.example.yaml'), integrationTypes);
  const found = findDynamicSecret(config, 'backend', 'prd', 'S3_UPLOADS');
  expect(found).toMatchObject({
    ok: true,
    dynamicSecret: { integration: 'aws-prod', defaultTtlMs: 1_800_000, parameters: { usable_timeout: 25_000 } },
  });
  expect(found).toMatchObject({ dynamicSecret: { maxLeases: 500, maxLeasesPerHolder: 20 } });
  expect(config.integrations['aws-prod']).toMatchObject({ paused: false, sweep: { everyMs: 600_000 } });
  expect(config.alerts.webhooks).toMatchObject([
    { url: { reference: 'env:LEASEHOLD_SLACK_WEBHOOK' }, format: 'slack' },
  ]);
  expect(config.projects['backend']?.configs['prd']?.secrets['API_TOKEN']).toEqual({ reference: 'env:API_TOKEN' });
});
