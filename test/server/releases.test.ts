import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { integrationTypes } from '../../activities/integrations/registry';
import { openAuditWriter } from '../../audit/writer';
import { loadConfig } from '../../config/load';
import { createLogger } from '../../telemetry/logger';
import { createMetrics } from '../../telemetry/metrics';
import { createWorker } from '../../worker/worker';
import type { LeaseWorker } from '../../worker/worker';
import { openLab, REQUEST } from '../support/lab';
import type { Lab } from '../support/lab';
import { installQuietRuntime } from '../support/quiet-runtime';
import { provided } from '../support/stack';

const directory = join(__dirname, '../releases');
const versions = readdirSync(directory);

let lab: Lab;

beforeAll(async () => {
  installQuietRuntime();
  process.env['LAB_KEY_ID'] = provided().aws.accessKeyId;
  process.env['LAB_KEY'] = provided().aws.secretAccessKey;
  lab = await openLab();
}, 60_000);

afterAll(() => lab.close());

async function workerOf(workflowBundle?: WorkflowBundleOption): Promise<LeaseWorker> {
  return createWorker({
    connection: { address: lab.address },
    namespace: lab.namespace,
    config: await loadConfig(lab.configFile, integrationTypes),
    share: { workflows: true, integrations: null },
    identity: 'release',
    version: null,
    audit: openAuditWriter({ file: join(lab.directory, 'audit.jsonl') }),
    metrics: createMetrics(),
    logger: createLogger('silent'),
    ...(workflowBundle === undefined ? {} : { workflowBundle }),
  });
}

async function during(worker: LeaseWorker, act: () => Promise<void>): Promise<void> {
  const running = worker.run();
  try {
    await act();
  } finally {
    worker.shutdown();
    await running;
  }
}

test('the first release is kept', () => {
  expect(versions).toContain('0.1.0');
});

test.each(versions)(
  'leases begun under release %s are extended, revoked and expire under this one',
  async (version) => {
    const code = gunzipSync(readFileSync(join(directory, version, 'workflow-bundle.js.gz'))).toString();
    const begun = { revoked: '', expired: '' };
    await during(await workerOf({ code }), async () => {
      begun.revoked = (await lab.leases.issue({ ...REQUEST, ttl: '30m' })).leaseId;
      begun.expired = (await lab.leases.issue({ ...REQUEST, ttl: '3s' })).leaseId;
    });
    await during(await workerOf(), async () => {
      await lab.leases.extend(begun.revoked, '40m');
      expect(await lab.leases.revoke(begun.revoked, { wait: true })).toMatchObject({ state: 'revoked' });
      expect(await lab.outcome(begun.expired)).toMatchObject({ state: 'expired' });
    });
    for (const leaseId of Object.values(begun)) expect(await lab.aws.usersLike(leaseId)).toEqual([]);
  },
);
