import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpLeases } from '../../client/http';
import { apiOf, choose, fullHolder, record } from './actor';
import type { Actor } from './actor';
import type { HolderName, IntegrationName } from './plan-types';

/** What it may take under faults until a bulk revoke has ended and its block is lifted. */
const LIFT_WITHIN_MS = 120_000;
/** A revoke of which no answer came may begin so much later. */
const MAY_BEGIN_WITHIN_MS = 6_000;
const LOOK_EVERY_MS = 1_500;

/** Ends all that one holder has of an integration, and lifts the block afterwards, so that the holder can go on. */
export async function bulkRevoke(actor: Actor, pick: number): Promise<boolean> {
  const holding = await choose(pick, () => actor.holdings.live());
  if (holding === undefined) return false;
  const { holder, integration } = holding;
  const filter = { holder: fullHolder(holder), integration };
  const { leaseIds, over } = actor.holdings.endAllAsked(holder, integration);
  await record(actor, { what: 'bulk-revoke', leaseIds, filter }, async () => {
    await actor.leases('admin', apiOf(pick)).revokeMany({ ...filter, reason: 'chaos' });
    return {};
  });
  await liftBlocks(actor, holder, integration);
  over();
  return true;
}

async function liftBlocks(actor: Actor, holder: HolderName, integration: IntegrationName): Promise<void> {
  const begun = Date.now();
  const isMeant = (filter: { readonly holder?: string; readonly integration?: string }): boolean =>
    filter.holder === fullHolder(holder) && filter.integration === integration;
  for (let turn = 0; Date.now() - begun < LIFT_WITHIN_MS; turn += 1) {
    await sleep(LOOK_EVERY_MS);
    const leases = actor.leases('admin', turn % 2 === 0 ? 'api-1' : 'api-2');
    const isQuiet = await liftOnce(leases, isMeant).catch(() => false);
    if (isQuiet && Date.now() - begun > MAY_BEGIN_WITHIN_MS) return;
  }
}

/** Answers whether nothing was left to lift and nothing runs that would block again. */
async function liftOnce(
  leases: HttpLeases,
  isMeant: (filter: { readonly holder?: string; readonly integration?: string }) => boolean,
): Promise<boolean> {
  const running = (await leases.revocations()).filter(({ state, filter }) => state === 'running' && isMeant(filter));
  if (running.length > 0) return false;
  const blocks = (await leases.blocks()).filter(({ filter }) => isMeant(filter));
  for (const { id } of blocks) await leases.liftBlock(id);
  return blocks.length === 0;
}
