import { tryBuckets, tryIdentity, userExists } from '../aws-calls';
import { LEASABLE } from '../development';
import { checkExpires, checkRevokes, issue } from './scene';
import type { Leased, Scene } from './scene';

const TTL_S = 12;

/** A lease of an IAM user that sees its worker die and ends all the same. */
export async function useAwsUntilItExpires(scene: Scene): Promise<void> {
  const { stack, story, replaceWorker } = scene;
  story.heading(`An AWS IAM user for ${TTL_S} seconds, used until the end`);
  const leased = await issueKey(scene, `${TTL_S}s`);
  story.check(await userExists(stack.aws, leased.entity), `the user ${leased.entity} exists`);
  await checkWorks(scene, leased);
  story.tell('the worker is killed with kill -9 while the lease sleeps');
  await replaceWorker();
  story.tell('another worker has started');
  await checkWorks(scene, leased);
  await checkExpires(scene, leased);
  await checkRefused(scene, leased);
}

/** A lease of an IAM user that is not needed as long as was asked for. */
export async function revokeAwsEarly(scene: Scene): Promise<void> {
  scene.story.heading('An AWS IAM user for 30 minutes, revoked early');
  const leased = await issueKey(scene, '30m');
  await checkWorks(scene, leased);
  await checkRevokes(scene, leased, 'AWS');
  await checkRefused(scene, leased);
}

async function issueKey(scene: Scene, ttl: string): Promise<Leased> {
  return issue(scene, LEASABLE.aws, ttl, ({ ACCESS_KEY_ID: id }) => `key ${String(id)}`);
}

async function checkWorks({ stack, story }: Scene, { lease }: Leased): Promise<void> {
  const identity = await tryIdentity(stack.aws, lease.credential);
  const buckets = await tryBuckets(stack.aws, lease.credential);
  story.check(
    identity === 'ok' && buckets === 'ok',
    `calls signed with the leased key: identity ${identity}, list buckets ${buckets}`,
  );
}

async function checkRefused({ stack, story }: Scene, { lease, entity }: Leased): Promise<void> {
  const identity = await tryIdentity(stack.aws, lease.credential);
  const buckets = await tryBuckets(stack.aws, lease.credential);
  story.check(
    identity === 'InvalidClientTokenId' && buckets === 'InvalidAccessKeyId',
    `the same key is refused: identity ${identity}, list buckets ${buckets}`,
  );
  story.check(!(await userExists(stack.aws, entity)), `the user ${entity} is gone`);
}
