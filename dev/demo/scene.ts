import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectedLeases, Lease } from '../../client/temporal';
import { DEVELOPMENT } from '../development';
import type { Stack } from '../stack';
import type { Story } from '../story';

/** What each part of the demo works with. */
export interface Scene {
  readonly stack: Stack;
  readonly leases: ConnectedLeases;
  readonly story: Story;
  readonly signal: AbortSignal;
  /** Ends the worker with kill -9 and starts another one. */
  readonly replaceWorker: () => Promise<void>;
}

/** A lease that has just been issued, and the name of what it made. */
export interface Leased {
  readonly lease: Lease;
  readonly entity: string;
}

/** @param describe says which part of the credential may be seen. */
export async function issue(
  scene: Scene,
  dynamicSecret: string,
  ttl: string,
  describe: (credential: Lease['credential']) => string,
): Promise<Leased> {
  const { leases, story, stack, signal } = scene;
  const lease = await leases.issue({ ...DEVELOPMENT, dynamicSecret, ttl, holder: 'demo', signal });
  story.tell(`lease ${lease.leaseId} is issued; ${describe(lease.credential)}, until ${lease.expiresAt.toISOString()}`);
  const { uiUrl, namespace } = stack.temporal;
  if (uiUrl !== null) story.tell(`see it at ${uiUrl}/namespaces/${namespace}/workflows/${lease.leaseId}`);
  return { lease, entity: (await leases.get(lease.leaseId)).entity ?? '' };
}

/** Lets the lease come to its end, which is nobody's doing, and checks that it was not early. */
export async function checkExpires({ story, leases, signal }: Scene, { lease, entity }: Leased): Promise<void> {
  await sleep(Math.max(0, lease.expiresAt.getTime() - Date.now()), undefined, { signal });
  const { state, endedAt } = await endOf(leases, lease, signal);
  story.check(state === 'expired', `the lease says ${state}`);
  const late = (endedAt?.getTime() ?? NaN) - lease.expiresAt.getTime();
  story.check(late >= 0, `${entity} was removed ${(late / 1_000).toFixed(1)} s after its end, not before`);
}

/** Revokes the lease and waits until the provider confirmed. */
export async function checkRevokes({ story }: Scene, { lease }: Leased, provider: string): Promise<void> {
  const { state } = await lease.revoke({ reason: 'the demo is over', wait: true });
  story.check(state === 'revoked', `the lease says ${state}, which it says only once ${provider} confirmed`);
}

async function endOf(leases: ConnectedLeases, lease: Lease, signal: AbortSignal) {
  for (;;) {
    const report = await leases.get(lease.leaseId);
    if (report.endedAt !== null) return report;
    await sleep(200, undefined, { signal });
  }
}
