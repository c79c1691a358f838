import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { integrationTypes } from '../../../activities/integrations/registry';
import { findDynamicSecret, loadConfig } from '../../../config/load';
import { LEASABLE, orchestratorEnvironment, writeDevelopmentConfig } from '../../../dev/development';
import type { Providers } from '../../../dev/development';

const aws = { url: 'http://127.0.0.1:1', region: 'us-east-1', accessKeyId: 'canary-1', secretAccessKey: 'canary-2' };
const postgres = {
  host: '::1',
  port: 2,
  tls: { mode: 'verify-ca', ca: '/etc/ssl/my ca.pem' },
  database: 'leasehold_dev',
  group: 'leasehold_dev_readonly',
  namePrefix: 'leasehold_dev',
  orchestrator: { user: 'leasehold_dev_orchestrator', password: 'canary-3' },
  embedded: false,
  adminUrl: 'postgresql://admin:canary-4@[::1]:2/postgres',
} as const;
const datadog = {
  url: 'http://127.0.0.1:3',
  site: 'datadoghq.com',
  apiKey: 'canary-5',
  applicationKey: 'canary-6',
  serviceAccountId: '00000000-0000-4000-8000-000000000000',
};

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test('the configuration of the stack loads, leases of every provider, and holds no secret', async () => {
  const { file } = await writeDevelopmentConfig(directory, { aws, postgres, datadog });
  expect(await readFile(file, 'utf8')).not.toContain('canary');
  const config = await loadConfig(file, integrationTypes);
  for (const name of Object.values(LEASABLE)) expect(findDynamicSecret(config, 'demo', 'dev', name).ok).toBe(true);
});

test.each([
  [{ aws }, ['aws-emulator']],
  [{ aws, datadog }, ['aws-emulator', 'datadog-emulator']],
  [{ aws, postgres: { ...postgres, tls: { mode: 'disable', ca: null } } }, ['aws-emulator', 'postgresql']],
] satisfies [Providers, string[]][])('a provider that is not there is not leased of', async (providers, names) => {
  const { file } = await writeDevelopmentConfig(directory, providers);
  expect(Object.keys((await loadConfig(file, integrationTypes)).integrations)).toEqual(names);
});

test('the worker finds in its environment what the configuration refers to, and the administrator of PostgreSQL is not there', async () => {
  const { file } = await writeDevelopmentConfig(directory, { aws, postgres, datadog });
  const environment = orchestratorEnvironment({ aws, postgres, datadog });
  const referred = [...(await readFile(file, 'utf8')).matchAll(/env:(\w+)/g)].map(([, name]) => name);
  expect(Object.keys(environment).sort()).toEqual(referred.sort());
  expect(Object.values(environment)).not.toContain(postgres.adminUrl);
});
