import { Client, Connection } from '@temporalio/client';
import { connectLeases, LeaseError } from '../../client/temporal';
import type { ConnectedLeases, Lease } from '../../client/temporal';
import type { LeaseOutcome } from '../../workflows/contract';
import { startFakeWorker } from '../support/fake-worker';
import type { FakeWorker } from '../support/fake-worker';
import { inFull } from '../support/full';
import { pause, REQUEST } from '../support/lab';
import { createNamespace } from '../support/namespace';
import { provided } from '../support/stack';

let connection: Connection;
let client: Client;
let worker: FakeWorker;
let leases: ConnectedLeases;

beforeAll(async () => {
  const { address } = provided().temporal;
  connection = await Connection.connect({ address });
  const namespace = await createNamespace(connection);
  client = new Client({ connection, namespace });
  worker = await startFakeWorker(address, namespace);
  leases = await connectLeases({ connection, namespace });
}, 60_000);

afterEach(() => {
  worker.setDeprovision(null);
});

afterAll(async () => {
  await leases.close();
  await worker.stop();
  await connection.close();
});

/** Runs a race so many times, some at once. Each is handed its number. */
async function repeat<T>(times: number, atOnce: number, race: (nth: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < times) results.push(await race(next++));
  };
  await Promise.all(Array.from({ length: atOnce }, run));
  return results;
}

/**
 * One of 25 steps between two numbers of milliseconds. Every fifth is far away from the moment that decides, so that on the slowest
 * machine too each side is first at times.
 */
function offset(nth: number, from: number, to: number, far: number): number {
  return nth % 5 === 0 ? far : from + ((nth % 25) * (to - from)) / 24;
}

function waitFor(lease: Lease, offsetMs: number): Promise<void> {
  return pause(Math.max(0, lease.expiresAt.getTime() + offsetMs - Date.now()));
}

function outcome(leaseId: string): Promise<LeaseOutcome> {
  return client.workflow.getHandle(leaseId).result() as Promise<LeaseOutcome>;
}

/** The new expiry; null if it was refused because the lease is at its end. */
async function tryExtend(lease: Lease, ttl: string): Promise<Date | null> {
  try {
    return await lease.extend(ttl);
  } catch (error) {
    if (!(error instanceof LeaseError)) throw error;
    expect(['LeaseNotActive', 'LeaseEnded']).toContain(error.code);
    return null;
  }
}

/** Removed by one attempt, and nothing is left. Answers when that was begun. */
function expectRemovedOnce(leaseId: string): number {
  const removals = worker.removals(leaseId);
  expect(removals).toHaveLength(1);
  expect(worker.existing.has(leaseId)).toBe(false);
  return removals[0]!;
}

/** Were one side always first, nothing would have raced. */
function expectBoth(races: readonly string[], one: string, other: string): void {
  expect(new Set(races)).toEqual(new Set([one, other]));
}

test('an extension at the moment of expiry wins wholly or is refused', async () => {
  const races = await repeat(inFull(200, 60), 40, async (nth) => {
    const lease = await leases.issue({ ...REQUEST, ttl: '2s' });
    await waitFor(lease, offset(nth, -200, 20, -1_500));
    const extended = await tryExtend(lease, '1s');
    const told = extended ?? lease.expiresAt;
    expect(await outcome(lease.leaseId)).toMatchObject({ state: 'expired', delivered: true, failure: null });
    expect(expectRemovedOnce(lease.leaseId)).toBeGreaterThanOrEqual(told.getTime());
    expect((await leases.get(lease.leaseId)).expiresAt).toEqual(told);
    return extended === null ? 'refused' : 'won';
  });
  expectBoth(races, 'won', 'refused');
}, 120_000);

test('ten revokes at once, by library, signal and cancel, remove once and tell all the same end', async () => {
  for (let time = 0; time < 10; time += 1) {
    const lease = await leases.issue({ ...REQUEST, ttl: '30m' });
    const handle = client.workflow.getHandle(lease.leaseId);
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    // Temporal refuses a signal to what has ended: the removal waits until all have been sent.
    worker.setDeprovision(() => gate);
    const byLibrary = Array.from({ length: 4 }, (_, nth) => lease.revoke({ wait: true, reason: `caller ${nth}` }));
    await Promise.all([1, 2, 3].flatMap(() => [handle.signal('revoke'), handle.cancel()]));
    open();
    const answers = await Promise.all(byLibrary);
    const { leaseId, state, endedAt, endedBy, reason } = await outcome(lease.leaseId);
    expect(state).toBe('revoked');
    const end = { leaseId, state, endedAt: new Date(endedAt), endedBy, reason };
    expect(answers).toEqual(answers.map(() => end));
    expectRemovedOnce(leaseId);
  }
});

test('a revoke at the moment of expiry ends the lease once, as revoked or as expired', async () => {
  const races = await repeat(50, 10, async (nth) => {
    const lease = await leases.issue({ ...REQUEST, ttl: '1s' });
    await waitFor(lease, offset(nth, -20, 200, 3_000));
    const { state, endedAt } = await lease.revoke({ wait: true });
    const ended = await outcome(lease.leaseId);
    expect({ state, endedAt }).toEqual({ state: ended.state, endedAt: new Date(ended.endedAt) });
    const begun = expectRemovedOnce(lease.leaseId);
    if (state === 'expired') expect(begun).toBeGreaterThanOrEqual(lease.expiresAt.getTime());
    return state;
  });
  expectBoth(races, 'revoked', 'expired');
}, 60_000);

test('a revoke that meets an extension always ends the lease', async () => {
  const races = await repeat(50, 10, async (nth) => {
    const lease = await leases.issue({ ...REQUEST, ttl: '10m' });
    const lead = offset(nth, -250, 20, -2_000);
    const [extended, revocation] = await Promise.all([
      pause(Math.max(0, lead)).then(() => tryExtend(lease, '20m')),
      pause(Math.max(0, -lead)).then(() => lease.revoke({ wait: true })),
    ]);
    expect(revocation).toMatchObject({ state: 'revoked' });
    expect(await outcome(lease.leaseId)).toMatchObject({ state: 'revoked' });
    expectRemovedOnce(lease.leaseId);
    return extended === null ? 'refused' : 'won';
  });
  expectBoth(races, 'won', 'refused');
}, 60_000);
