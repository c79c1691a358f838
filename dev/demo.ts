import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { connectLeases } from '../client/temporal';
import type { ConnectedLeases, Lease } from '../client/temporal';
import { tryBuckets, tryIdentity, userExists } from './aws-calls';
import { DEVELOPMENT, writeDevelopmentConfig } from './development';
import type { RunningProcess } from './process';
import { runProgram } from './run';
import { startStack } from './stack';
import type { Stack } from './stack';
import { beginStory, say } from './story';
import type { Story } from './story';
import { startWorker } from './worker-process';

const TTL_S = 12;

interface Scene {
  readonly stack: Stack;
  readonly leases: ConnectedLeases;
  readonly story: Story;
  readonly signal: AbortSignal;
  /** Ends the worker with kill -9 and starts another one. */
  readonly replaceWorker: () => Promise<void>;
}

void runProgram(async (signal) => {
  say('Leasehold: two leases of an AWS IAM user, from request to removal.\n');
  const stack = await startStack({ say });
  let worker: RunningProcess | undefined;
  try {
    const { temporal, aws, logDirectory } = stack;
    const { file: configFile } = await writeDevelopmentConfig(logDirectory, aws);
    const start = (): Promise<RunningProcess> => startWorker({ temporal, aws, configFile, logDirectory });
    worker = await start();
    const connection = await Connection.connect({ address: temporal.address });
    const leases = await connectLeases({ connection, namespace: temporal.namespace });
    const story = beginStory();
    const replaceWorker = async (): Promise<void> => {
      await worker?.kill();
      worker = await start();
    };
    const scene: Scene = { stack, leases, story, signal, replaceWorker };
    try {
      await useUntilItExpires(scene);
      await revokeEarly(scene);
      return conclude(story);
    } finally {
      await leases.close();
      await connection.close();
    }
  } finally {
    await worker?.stop();
    await stack.stop();
  }
});

async function useUntilItExpires(scene: Scene): Promise<void> {
  const { stack, story, leases, signal, replaceWorker } = scene;
  story.heading(`1. A lease of ${TTL_S} seconds, used until it ends`);
  const lease = await issue(scene, `${TTL_S}s`);
  const user = await entityOf(leases, lease);
  story.check(await userExists(stack.aws, user), `the user ${user} exists`);
  await checkWorks(scene, lease);
  story.tell('the worker is killed with kill -9 while the lease sleeps');
  await replaceWorker();
  story.tell('another worker has started');
  await checkWorks(scene, lease);
  await sleep(Math.max(0, lease.expiresAt.getTime() - Date.now()), undefined, { signal });
  const { state, endedAt } = await endOf(leases, lease, signal);
  story.check(state === 'expired', `the lease says ${state}`);
  const late = (endedAt?.getTime() ?? NaN) - lease.expiresAt.getTime();
  story.check(late >= 0, `its user was removed ${(late / 1_000).toFixed(1)} s after its end, not before`);
  await checkRefused(scene, lease, user);
}

async function revokeEarly(scene: Scene): Promise<void> {
  const { story, leases } = scene;
  story.heading('2. A lease of 30 minutes, revoked early');
  const lease = await issue(scene, '30m');
  const user = await entityOf(leases, lease);
  await checkWorks(scene, lease);
  const { state } = await lease.revoke({ reason: 'the demo is over', wait: true });
  story.check(state === 'revoked', `the lease says ${state}, which it says only once AWS confirmed`);
  await checkRefused(scene, lease, user);
}

async function issue({ leases, story, stack, signal }: Scene, ttl: string): Promise<Lease> {
  const lease = await leases.issue({ ...DEVELOPMENT, ttl, holder: 'demo', signal });
  story.tell(
    `lease ${lease.leaseId} is issued; key ${String(lease.credential['ACCESS_KEY_ID'])}, until ${lease.expiresAt.toISOString()}`,
  );
  const { uiUrl, namespace } = stack.temporal;
  if (uiUrl !== null) story.tell(`see it at ${uiUrl}/namespaces/${namespace}/workflows/${lease.leaseId}`);
  return lease;
}

async function entityOf(leases: ConnectedLeases, lease: Lease): Promise<string> {
  return (await leases.get(lease.leaseId)).entity ?? '';
}

/** A lease that expires is nobody's doing: one looks until it has ended. */
async function endOf(leases: ConnectedLeases, lease: Lease, signal: AbortSignal) {
  for (;;) {
    const report = await leases.get(lease.leaseId);
    if (report.endedAt !== null) return report;
    await sleep(200, undefined, { signal });
  }
}

async function checkWorks({ stack, story }: Scene, lease: Lease): Promise<void> {
  const identity = await tryIdentity(stack.aws, lease.credential);
  const buckets = await tryBuckets(stack.aws, lease.credential);
  story.check(
    identity === 'ok' && buckets === 'ok',
    `calls signed with the leased key: identity ${identity}, list buckets ${buckets}`,
  );
}

async function checkRefused({ stack, story }: Scene, lease: Lease, user: string): Promise<void> {
  const identity = await tryIdentity(stack.aws, lease.credential);
  const buckets = await tryBuckets(stack.aws, lease.credential);
  story.check(identity === 'InvalidClientTokenId', `the same key is refused: identity ${identity}`);
  story.check(buckets === 'InvalidAccessKeyId', `                        list buckets ${buckets}`);
  story.check(!(await userExists(stack.aws, user)), `the user ${user} is gone`);
}

function conclude(story: Story): number {
  const failed = story.failures();
  story.heading(failed === 0 ? 'Every claim was checked and held.' : `${failed} claims did not hold.`);
  return failed === 0 ? 0 : 1;
}
