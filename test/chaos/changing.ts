import { apiOf, askTemporal, choose, record } from './actor';
import type { Actor } from './actor';
import type { Holding } from './holdings';
import type { Operation } from './plan-types';
import type { ChangeSeen } from './trace';

type Change = Extract<Operation, { do: 'extend' | 'shorten' }>;

const TIMEOUT_MS = 30_000;
/** So long a removal is waited for by who wants to know. */
const WAIT_MS = 45_000;
/** A shortening that arrives so late is none any more. */
const LATE_MS = 5_000;

/** Leases that are being moved: two moves at once would leave open which expiry is in force. */
const moving = new WeakSet<Holding>();

/** Answers whether there was a lease to do it with. */
export async function moveEnd(actor: Actor, { do: what, pick, ttlMs }: Change): Promise<boolean> {
  const { holdings } = actor;
  const isSuitable = (holding: Holding): boolean => {
    if (moving.has(holding)) return false;
    const end = Date.now() + ttlMs;
    return what === 'extend' ? end > holding.worksUntil : end + LATE_MS < holding.worksUntil;
  };
  const holding = await choose(pick, () => holdings.live().filter(isSuitable));
  if (holding === undefined) return false;
  const { leaseId, holder, worksUntil } = holding;
  moving.add(holding);
  // It may be in force from the moment it is asked for.
  if (what === 'shorten') holdings.move(leaseId, Math.min(worksUntil, Date.now() + ttlMs));
  const moved = holding.worksUntil;
  const { answer, expiresAt } = await record(actor, { what, leaseIds: [leaseId], ttlMs }, async () => {
    const options = { timeoutMs: TIMEOUT_MS };
    const end = await actor.leases(holder, apiOf(pick)).extend(leaseId, ttlMs / 1_000, options);
    return { expiresAt: end.getTime() };
  });
  moving.delete(holding);
  // Unless an end was asked for meanwhile.
  if (holding.worksUntil === moved) {
    if (expiresAt !== null) holdings.move(leaseId, expiresAt);
    else if (answer !== 'unknown') holdings.move(leaseId, worksUntil);
  }
  return true;
}

/** So many at once: the first waits for the end, every third goes straight to Temporal as a signal. */
export async function revoke(actor: Actor, { pick, times }: Extract<Operation, { do: 'revoke' }>): Promise<boolean> {
  const { holdings, world } = actor;
  const holding = await choose(pick, () => holdings.live());
  if (holding === undefined) return false;
  const { leaseId, holder } = holding;
  holdings.endAsked(leaseId);
  const asked = { what: 'revoke', leaseIds: [leaseId] } as const;
  const byCall = async (index: number): Promise<Pick<ChangeSeen, 'state'>> => {
    const api = apiOf(pick + index / 1_000);
    const { state } = await actor.leases(holder, api).revoke(leaseId, index === 0 ? { wait: WAIT_MS } : {});
    return { state };
  };
  const bySignal = async (): Promise<Pick<ChangeSeen, 'state'>> => {
    const handle = world.client.workflow.getHandle(leaseId);
    await askTemporal(world, () => handle.signal('revoke', { by: 'chaos', reason: 'by hand' }));
    return { state: 'accepted' };
  };
  const calls = Array.from({ length: times }, (_, index) =>
    record(actor, asked, () => (index % 3 === 2 ? bySignal() : byCall(index))),
  );
  await Promise.all(calls);
  return true;
}
