import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTemporalServer } from '../../dev/temporal-server';
import { isFull } from '../support/full';
import { eventually, openLab, pause, REQUEST, useLab } from '../support/lab';
import type { Lab } from '../support/lab';
import { provided } from '../support/stack';
import type { WorkerProcess } from '../support/worker-process';

let lab: Lab;
let worker: WorkerProcess;

useLab(async (opened) => {
  lab = opened;
  worker = await lab.startWorker();
});

/** Runs once, when the provider has done this operation for a new lease and the worker does not know it yet. */
function once(operation: string, phase: 'before' | 'after', act: (userName: string) => Promise<void>): void {
  let done = false;
  lab.proxy.setOnCall(async (called, at, call) => {
    if (done || called !== operation || at !== phase) return;
    done = true;
    await act(call.parameters.get('UserName')!);
  });
}

async function restart(): Promise<void> {
  await worker.kill();
  worker = await lab.startWorker();
}

/** Of calls that fail in any other way the conformance suite tries all. */
const MAKING = [
  ['CreateUser', 'after'],
  ['CreateAccessKey', 'after'],
  ...(isFull
    ? ([
        ['CreateUser', 'before'],
        ['PutUserPolicy', 'after'],
        ['CreateAccessKey', 'before'],
      ] as const)
    : []),
] as const;

test.each(MAKING)(
  'a worker killed at %s (%s the provider did it) is succeeded by one that hands over one user with one key',
  async (operation, phase) => {
    once(operation, phase, restart);
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '10s' });
    const users = await lab.aws.usersLike(lease.leaseId);
    expect(users).toHaveLength(1);
    expect(await lab.aws.keys(users[0]!)).toEqual([lease.credential['ACCESS_KEY_ID']]);
    expect(await lab.aws.buckets(lease.credential)).toBe('ok');
    await lease.revoke({ wait: true });
    expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
  },
  60_000,
);

test('a worker killed while leases sleep changes nothing: they end on time under its successor', async () => {
  const leases = await Promise.all(Array.from({ length: 5 }, () => lab.leases.issue({ ...REQUEST, ttl: '8s' })));
  await worker.kill();
  await pause(2_000);
  worker = await lab.startWorker();
  for (const lease of leases) {
    if (Date.now() < lease.expiresAt.getTime() - 1_000) expect(await lab.aws.identity(lease.credential)).toBe('ok');
    const outcome = await lab.outcome(lease.leaseId);
    expect(outcome.state).toBe('expired');
    expect(Date.parse(outcome.endedAt)).toBeGreaterThanOrEqual(lease.expiresAt.getTime());
    expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
  }
}, 60_000);

test.each(isFull ? ['DeleteAccessKey', 'DeleteUserPolicy', 'DeleteUser'] : ['DeleteUser'])(
  'a worker killed at %s while it removes is succeeded by one that finishes',
  async (operation) => {
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '30m' });
    once(operation, 'after', restart);
    expect(await lease.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
    expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
    expect(await lab.aws.identity(lease.credential)).not.toBe('ok');
  },
  60_000,
);

test('SIGTERM lets a running provision finish before the worker ends', async () => {
  const old = worker;
  let code: Promise<number | null> | undefined;
  once('CreateAccessKey', 'before', async () => {
    code = old.stop();
    await pause(500);
  });
  const issued = lab.leases.issue({ ...REQUEST, ttl: '30m' });
  await eventually(async () => code !== undefined, 'the worker to be asked to stop');
  expect(await code).toBe(0);
  worker = await lab.startWorker();
  const lease = await issued;
  const keys = lab.proxy.calls.filter(
    (call) => call.operation === 'CreateAccessKey' && call.parameters.get('UserName')!.includes(lease.leaseId),
  );
  expect(keys).toHaveLength(1);
  await lease.revoke({ wait: true });
}, 60_000);

test('leases that sleep while the Temporal server is stopped and started all end, none early', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  const options = {
    binary: provided().tools.temporal,
    databaseFile: join(directory, 'temporal.db'),
    headless: true,
    logFile: join(directory, 'temporal.log'),
  };
  let server = await startTemporalServer(options);
  const port = Number(server.address.split(':').at(-1));
  const own = await openLab({ temporal: { address: server.address, namespace: server.namespace } });
  try {
    await own.startWorker();
    const short = await own.leases.issue({ ...REQUEST, ttl: '3s' });
    const long = await own.leases.issue({ ...REQUEST, ttl: '20s' });
    await server.stop();
    await pause(4_000);
    server = await startTemporalServer({ ...options, port });
    expect(await own.aws.identity(long.credential)).toBe('ok');
    for (const lease of [short, long]) {
      const outcome = await own.outcome(lease.leaseId);
      expect(outcome.state).toBe('expired');
      expect(Date.parse(outcome.endedAt)).toBeGreaterThanOrEqual(lease.expiresAt.getTime());
      expect(await own.aws.usersLike(lease.leaseId)).toEqual([]);
    }
  } finally {
    await own.close();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}, 90_000);
