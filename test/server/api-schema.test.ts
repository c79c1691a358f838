import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { callApi } from '../support/api-call';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { inFull } from '../support/full';
import { eventually } from '../support/lab';
import { provided } from '../support/stack';

let lab: ApiLab;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(provided().directory, 'schemathesis-'));
  lab = await openApiLab({ dynamicSecrets: { S3_UPLOADS: { integration: 'memory', max_ttl: '1d' } } });
}, 60_000);

afterAll(async () => {
  await lab.close();
  await rm(directory, { recursive: true, force: true });
});

/** What Schemathesis says of the API, and whether it is content. */
function runSchemathesis(args: readonly string[]): Promise<{ readonly isContent: boolean; readonly said: string }> {
  return new Promise((resolve) => {
    execFile(
      provided().schemathesis,
      ['run', `${lab.url}/v1/openapi.json`, '--header', `Authorization: Bearer ${lab.tokens['admin']}`, ...args],
      { cwd: directory, timeout: 240_000, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({ isContent: error === null, said: `${stdout}\n${stderr}` });
      },
    );
  });
}

test('whatever its description allows or forbids is answered as described, and leaves nothing behind', async () => {
  const { isContent, said } = await runSchemathesis([
    '--checks=all',
    // What a dynamic secret allows, which cursors there are and how long one may wait is not in a schema.
    '--exclude-checks=positive_data_acceptance',
    `--max-examples=${inFull(25, 10)}`,
    // How long an answer takes is not asked here: its own ten seconds are over where the machine is busy.
    '--request-timeout=60',
    '--seed=1',
    '--no-color',
  ]);
  const { body } = await callApi('GET', '/v1/leases?live=true&limit=1000', {
    url: lab.url,
    token: lab.tokens['admin'],
  });
  for (const { lease_id: id } of body.leases) await lab.leases.revoke(id);
  await eventually(async () => lab.provider.entities.size === 0, 'the provider to hold nothing');
  expect(isContent ? '' : said).toBe('');
  expect(lab.provider.calls.provision).toBeGreaterThan(0);
}, 300_000);
