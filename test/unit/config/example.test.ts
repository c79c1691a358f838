import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { integrationTypes } from '../../../activities/integrations/registry';
import { findDynamicSecret, loadConfig, parseConfig } from '../../../config/load';

const EXAMPLE = join(__dirname, '../../../leasehold.example.yaml');

test('the annotated example loads as it is, with the real types', async () => {
  const config = await loadConfig(EXAMPLE, integrationTypes);
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
  expect(config.access.tokens['backend']).toMatchObject({ scopes: [{ project: 'backend', config: 'prd' }] });
  expect(config.access.oidc['github']?.rules).toHaveLength(1);
  expect(config.api).toEqual({ tls: null, trustProxy: [], requestsPerMinute: 600 });
  expect(config.projects['backend']?.configs['prd']?.secrets['API_TOKEN']).toEqual({ reference: 'env:API_TOKEN' });
});

test.each([
  ['DATABASE', 'postgres-prod', { roles: ['app_readonly'], owner: 'app_owner' }],
  ['DATADOG', 'datadog-prod', { keys: 'both', scopes: ['dashboards_read', 'metrics_read'] }],
  ['S3_REPORTS', 'aws-sessions', { role_arn: 'arn:aws:iam::123456789012:role/reports-reader' }],
])('the annotated example leases %s of %s', async (name, integration, parameters) => {
  const config = await loadConfig(EXAMPLE, integrationTypes);
  expect(findDynamicSecret(config, 'backend', 'prd', name)).toMatchObject({
    ok: true,
    dynamicSecret: { integration, parameters },
  });
});

test('what the annotated example has commented out is right too', async () => {
  const text = await readFile(EXAMPLE, 'utf8');
  const all = text
    .slice(text.indexOf('access:'), text.indexOf('projects:'))
    .replaceAll(/^( *)# ( *(?:- )?[a-z_/.]+:(?: .*)?)$/gm, '$1$2');
  const { access, api } = parseConfig(`version: 1\nprojects: {backend: {configs: {prd: {}}}}\n${all}`, {}, EXAMPLE);
  expect(access.oidc['cluster']?.rules[0]?.claims).toHaveLength(2);
  expect(access.oidc['github']?.rules[0]?.subject).toEqual(['repository']);
  expect(api.tls).not.toBeNull();
  expect(api.trustProxy).toEqual(['10.0.0.0/8']);
});
