import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { openApiOverLab } from '../support/api-over-lab';
import { eventually, openLab, REQUEST } from '../support/lab';
import type { Lab } from '../support/lab';
import { provided } from '../support/stack';
import type { WorkerProcess } from '../support/worker-process';

// Two releases are the same code here under two build ids: what is tried is who gets the tasks of a lease, and that a lease that began
// under the one ends under the other. What differs between releases is for releases.test.ts.

const run = promisify(execFile);
const DEPLOYMENT = 'prod/leasehold';

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
}, 60_000);

afterAll(() => lab.close(), 60_000);

function startVersion(build: string, flags: readonly string[] = []): Promise<WorkerProcess> {
  return lab.startWorker(flags, { TEMPORAL_DEPLOYMENT_NAME: DEPLOYMENT, TEMPORAL_WORKER_BUILD_ID: build });
}

/** As an operator does it, with the command that a worker printed. */
async function obey(command: string): Promise<void> {
  const [program, ...words] = command.split(' ').map((word) => word.replaceAll("'", ''));
  expect(program).toBe('temporal');
  const tried = async (): Promise<boolean> => {
    // Until the server has seen the first worker of the version.
    await run(provided().tools.temporal, [...words, '--yes', '--address', lab.address]);
    return true;
  };
  await eventually(() => tried().catch(() => false), command);
}

function commandTo(target: string, { namespace } = lab): string {
  return `temporal worker deployment set-current-version --namespace ${namespace} --deployment-name '${DEPLOYMENT}' ${target}`;
}

/** The build by which a lease took its latest step; null: a worker without a version. */
async function builtBy(leaseId: string): Promise<string | null> {
  const { raw } = await lab.handle(leaseId).describe();
  return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? null;
}

async function check({ configFile, environment }: Lab): Promise<string> {
  const args = ['dist/cli/main.js', 'check', '--config', configFile];
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment };
  const result = await run(process.execPath, args, { env }).catch((error: unknown) => error as { stdout: string });
  return result.stdout;
}

async function revoke(leaseId: string): Promise<void> {
  expect(await lab.leases.revoke(leaseId, { wait: true })).toMatchObject({ state: 'revoked' });
  expect(await lab.aws.usersLike(leaseId)).toEqual([]);
}

test('a variable without the other is a mistake of the command line', async () => {
  const failure: unknown = await lab
    .startWorker([], { TEMPORAL_DEPLOYMENT_NAME: 'leasehold' })
    .catch((e: unknown) => e);
  expect(String(failure)).toContain('TEMPORAL_WORKER_BUILD_ID: is not set, but TEMPORAL_DEPLOYMENT_NAME is.');
});

test('leases go from workers without a version to one that was made current, on to the next one, and all the way back', async () => {
  const plain = await lab.startWorker();
  const begun = [await lab.leases.issue({ ...REQUEST, ttl: '30m' })];
  const first = await startVersion('1');
  // It says at once that it waits, and who has the leases.
  await eventually(async () => first.output().includes('gets no leases'), 'version 1 to say that it waits');
  expect(first.output()).toContain(
    `Temporal gives them to the unversioned workers. To have them come here: ${commandTo('--build-id 1')}`,
  );
  expect(await check(lab)).toContain('every task queue is served');
  await obey(commandTo('--build-id 1'));
  expect(await plain.stop()).toBe(0);
  await lab.leases.extend(begun[0]!.leaseId, '40m');
  expect(await builtBy(begun[0]!.leaseId)).toBe('1');
  await revoke(begun[0]!.leaseId);

  const stays = await lab.leases.issue({ ...REQUEST, ttl: '30m' });
  const expires = await lab.leases.issue({ ...REQUEST, ttl: '6s' });
  const second = await startVersion('2');
  await eventually(async () => second.output().includes(commandTo('--build-id 2')), 'version 2 to say that it waits');
  await obey(commandTo('--build-id 2'));
  expect(await first.stop()).toBe(0);
  expect(await lab.outcome(expires.leaseId)).toMatchObject({ state: 'expired' });
  expect(await builtBy(expires.leaseId)).toBe('2');
  expect(await lab.aws.usersLike(expires.leaseId)).toEqual([]);
  await lab.leases.extend(stays.leaseId, '40m');

  // Back to version 1, and from there to a release that knows nothing of versions.
  const again = await startVersion('1');
  await obey(commandTo('--build-id 1'));
  expect(await second.stop()).toBe(0);
  const late = await lab.leases.issue({ ...REQUEST, ttl: '30m' });
  await revoke(stays.leaseId);
  expect(await builtBy(stays.leaseId)).toBe('1');
  const old = await lab.startWorker();
  await eventually(
    async () => old.output().includes(commandTo('--unversioned')),
    'the unversioned worker to say that it waits',
  );
  await obey(commandTo('--unversioned'));
  expect(await again.stop()).toBe(0);
  await revoke(late.leaseId);
  expect(await builtBy(late.leaseId)).toBeNull();
  expect(await old.stop()).toBe(0);
}, 60_000);

describe('in an installation whose first worker has a version', () => {
  let fresh: Lab;

  beforeAll(async () => {
    fresh = await openLab();
  }, 60_000);

  afterAll(() => fresh.close(), 60_000);

  test('the worker, check and readiness say that nobody gets the leases, which go on once somebody does', async () => {
    const own = { TEMPORAL_DEPLOYMENT_NAME: DEPLOYMENT, TEMPORAL_WORKER_BUILD_ID: '1' };
    const worker = await fresh.startWorker([], own);
    const api = await openApiOverLab(fresh);
    try {
      const command = commandTo('--build-id 1', fresh);
      const said =
        'Temporal gives leases to the unversioned workers, of which no worker runs: they neither begin nor end.';
      await eventually(async () => worker.output().includes(said), 'the worker to say that nobody gets leases');
      expect(worker.output()).toContain(command);
      const issued = fresh.leases.issue({ ...REQUEST, ttl: '30m' });
      void issued.catch(() => undefined);
      const told = `its work goes to the unversioned workers, of which none is there, and not to version 1 of ${DEPLOYMENT}.`;
      // A moment of a busy machine may pass until Temporal has seen the worker poll.
      await eventually(async () => (await check(fresh)).includes(told), 'check to say whose the work is');
      const unready = await fetch(`${api.url}/readyz`);
      expect(unready.status).toBe(503);
      expect(await unready.text()).toContain(told);

      await obey(command);
      const { leaseId } = await issued;
      expect(await fresh.leases.revoke(leaseId, { wait: true })).toMatchObject({ state: 'revoked' });
      expect(await fresh.aws.usersLike(leaseId)).toEqual([]);
      await eventually(async () => (await fetch(`${api.url}/readyz`)).status === 200, 'the API to be ready');
      expect(await check(fresh)).toContain('every task queue is served');
    } finally {
      await api.close();
    }
  }, 60_000);

  test('what makes and removes credentials has no version, so that a removal finds any worker that is there', async () => {
    const own = { TEMPORAL_DEPLOYMENT_NAME: DEPLOYMENT, TEMPORAL_WORKER_BUILD_ID: '2' };
    const worker = await fresh.startWorker(['--integrations', 'aws'], own);
    expect(worker.output()).toContain('This worker runs no workflows, and their version is of no matter to it');
    for (const name of ['aws/provision', 'aws/deprovision', 'aws/upkeep']) {
      const pollers = async (): Promise<readonly Poller[]> => (await describeActivities(fresh, name)).pollers;
      const isThere = ({ identity }: Poller): boolean =>
        identity?.startsWith(`leasehold-worker/${worker.pid}@`) === true;
      await eventually(async () => (await pollers()).some(isThere), `the worker at ${name}`);
      // Of the one with workflows and of the one without.
      for (const { deploymentOptions } of await pollers()) expect(deploymentOptions ?? null).toBeNull();
    }
    expect(await worker.stop()).toBe(0);
  });
});

type Described = Awaited<ReturnType<Lab['client']['workflowService']['describeTaskQueue']>>;
type Poller = Described['pollers'][number];

function describeActivities({ client, namespace }: Lab, name: string): Promise<Described> {
  const ACTIVITY = 2 as never;
  return client.workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType: ACTIVITY });
}
