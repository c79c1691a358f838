import type { Connections } from '../../../activities/connections';
import { integrationTypes } from '../../../activities/integrations/registry';
import type { Quota } from '../../../activities/integrations/integration';
import { createQuotaGate } from '../../../activities/quota';
import { parseConfig } from '../../../config/load';

function gateAt(used: number, limit: number, reserve: number) {
  const config = parseConfig(
    `
version: 1
integrations:
  aws: { type: aws_iam, limits: { quota_reserve: ${String(reserve)} } }
projects: {}
`,
    integrationTypes,
    'test.yaml',
  );
  const quota: Quota = { what: 'users', used, limit };
  const connections = { open: () => ({ quota: () => Promise.resolve(quota) }) } as unknown as Connections;
  const told: (readonly [string, number, number])[] = [];
  const gate = createQuotaGate(config, connections, { quota: (...what) => told.push(what) });
  return { gate, told };
}

test('a limit is told without the reserve, so that it is reached where issuing is refused', async () => {
  const full = gateAt(40, 50, 10);
  await expect(full.gate.pass('aws')).rejects.toMatchObject({ type: 'QuotaExceeded' });
  expect(full.told).toEqual([['aws', 40, 40]]);
  const nearly = gateAt(39, 50, 10);
  await nearly.gate.pass('aws');
  expect(nearly.told).toEqual([['aws', 39, 40]]);
});

test('a reserve that is larger than the limit leaves nothing, and not less', async () => {
  const { gate, told } = gateAt(1, 5, 10);
  await expect(gate.pass('aws')).rejects.toMatchObject({ type: 'QuotaExceeded' });
  expect(told).toEqual([['aws', 1, 0]]);
});
