import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REQUEST, useLab } from '../support/lab';
import type { Lab } from '../support/lab';

let lab: Lab;

useLab(
  async (opened) => {
    lab = opened;
  },
  // Equal, so that time runs out for the whole issue while a later attempt is still under way.
  { timings: { issue_timeout: '7s', attempt_timeout: '7s' } },
);

/** Ids of the leases whose user was asked for. */
function leasesAsked(): string[] {
  const names = lab.proxy.calls
    .filter((call) => call.operation === 'CreateUser')
    .map((call) => call.parameters.get('UserName')!.split('-').at(-1)!);
  return [...new Set(names)];
}

test('what an attempt made before its time ran out is removed, whatever the attempt before it had reported', async () => {
  const worker = await lab.startWorker();
  lab.proxy.forget();
  lab.proxy.fault({ operation: 'GetUser', kind: '500-before' });
  lab.proxy.fault({ operation: 'CreateUser', kind: 'hang-after', times: 9 });
  await expect(lab.leases.issue({ ...REQUEST, ttl: '10m' })).rejects.toMatchObject({ leaseId: expect.any(String) });
  lab.proxy.clearFaults();
  const [leaseId] = leasesAsked();
  expect(await lab.outcome(leaseId!)).toMatchObject({ state: 'failed', delivered: false });
  expect(await lab.aws.usersLike(leaseId!)).toEqual([]);
  await worker.stop();
}, 60_000);

test('what was made under a configuration that has changed since is removed', async () => {
  const changed = join(lab.directory, 'changed.yaml');
  await writeFile(changed, (await readFile(lab.configFile, 'utf8')).replace('S3_READER', 'S3_RENAMED'));
  const first = await lab.startWorker();
  lab.proxy.forget();
  let second = first;
  let done = false;
  lab.proxy.setOnCall(async (operation, phase) => {
    if (done || operation !== 'CreateUser' || phase !== 'after') return;
    done = true;
    await first.kill();
    second = await lab.startWorker(['--config', changed]);
  });
  await expect(lab.leases.issue({ ...REQUEST, ttl: '10m' })).rejects.toMatchObject({ leaseId: expect.any(String) });
  const [leaseId] = leasesAsked();
  expect(await lab.outcome(leaseId!)).toMatchObject({ state: 'failed' });
  expect(await lab.aws.usersLike(leaseId!)).toEqual([]);
  await second.stop();
}, 60_000);
