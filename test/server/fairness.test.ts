import type { Lease } from '../../client/leases';
import { STICKY_MS } from '../../worker/worker';
import { eventually, pause } from '../support/base-lab';
import { MEMORY_REQUEST, openMemoryLab } from '../support/memory-lab';
import type { MemoryLab, RunningWorker } from '../support/memory-lab';

// Without a worker all wait in one queue, in the order in which they came. Whoever comes last would be the last to have his turn.

const MANY = 150;

let lab: MemoryLab;
let worker: RunningWorker;

beforeEach(async () => {
  lab = await openMemoryLab();
  worker = await lab.startWorker();
}, 60_000);

afterEach(() => lab.close());

function issueMany(ttl: string): readonly Promise<Lease>[] {
  return Array.from({ length: MANY }, () => lab.leases.issue({ ...MEMORY_REQUEST, ttl }));
}

/** What was given to the worker that has left comes back to the queue of all by then. */
async function untilExpired(leases: readonly Lease[]): Promise<void> {
  const last = Math.max(...leases.map(({ expiresAt }) => expiresAt.getTime()));
  await pause(last - Date.now() + STICKY_MS + 1_000);
}

async function untilBegun(leases: number): Promise<void> {
  const begun = async (): Promise<boolean> =>
    (await lab.client.workflow.count("WorkflowType = 'lease'")).count === leases;
  await eventually(begun, `${leases} leases to be begun`);
}

test('a new lease does not wait for all those that expired before it', async () => {
  const leases = await Promise.all(issueMany('15s'));
  await worker.stop();
  await untilExpired(leases);
  const issued = lab.leases.issue({ ...MEMORY_REQUEST, ttl: '10m' });
  await untilBegun(MANY + 1);
  await lab.startWorker();
  const { leaseId } = await issued;
  expect(lab.provider.of(leaseId)).toHaveLength(1);
  expect(lab.provider.entities.size).toBeGreaterThan(MANY / 2);
  await lab.leases.revoke(leaseId);
  await eventually(async () => lab.provider.entities.size === 0, 'all to be removed', 40_000);
}, 120_000);

test('a lease that expires does not wait for all those that were asked for before', async () => {
  const lease = await lab.leases.issue({ ...MEMORY_REQUEST, ttl: '10s' });
  await worker.stop();
  const flood = issueMany('10m');
  await untilBegun(MANY + 1);
  await untilExpired([lease]);
  let delivered = 0;
  for (const each of flood) {
    void each.then(() => {
      delivered += 1;
    });
  }
  await lab.startWorker();
  await lab.outcome(lease.leaseId);
  expect(lab.provider.of(lease.leaseId)).toHaveLength(0);
  expect(delivered).toBeLessThan(MANY / 2);
  const leases = await Promise.all(flood);
  await Promise.all(leases.map(({ leaseId }) => lab.leases.revoke(leaseId)));
  await eventually(async () => lab.provider.entities.size === 0, 'all to be removed', 40_000);
}, 120_000);
