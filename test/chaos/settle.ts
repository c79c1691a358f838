import { setTimeout as sleep } from 'node:timers/promises';
import { runSweep } from '../../cli/local/sweep-run';
import { askTemporal, RUNNING, runningLeases } from './actor';
import { INTEGRATIONS } from './plan-types';
import type { IntegrationName } from './plan-types';
import type { World } from './world-types';

export interface SettleOptions {
  /** After which what is left is left. */
  readonly limitMs: number;
  readonly say: (line: string) => void;
}

const LOOK_EVERY_MS = 1_000;
/** The index lags: nothing is left when so many looks in a row found nothing. */
const QUIET_LOOKS = 2;
/** What the schedule has not swept by then is swept by hand, and again so often. */
const SWEEP_EVERY_MS = 20_000;
const SWEEP_TIMEOUT_MS = 60_000;

/** Waits until every lease has ended and the providers hold nothing of ours. Answers what is left at the limit, if anything. */
export async function settle(world: World, { limitMs, say }: SettleOptions): Promise<readonly string[]> {
  const begun = Date.now();
  let sweptAt = begun;
  let sweeping: Promise<void> = Promise.resolve();
  for (let quiet = 0; ;) {
    const left = await leftOvers(world);
    quiet = left.length === 0 ? quiet + 1 : 0;
    if (quiet >= QUIET_LOOKS || Date.now() - begun > limitMs) {
      await sweeping;
      return left;
    }
    if (Date.now() - sweptAt > SWEEP_EVERY_MS) {
      sweptAt = Date.now();
      say(`not settled yet: ${left.slice(0, 5).join(', ')}${left.length > 5 ? `, and ${left.length - 5} more` : ''}`);
      sweeping = Promise.all([sweeping, ...INTEGRATIONS.map((each) => sweep(world, each))]).then(() => undefined);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

async function leftOvers(world: World): Promise<readonly string[]> {
  const held = await Promise.all(INTEGRATIONS.map((integration) => world.entities(integration)));
  const entities = held.flat().map(({ integration, name }) => `${name} at ${integration}`);
  const count = await askTemporal(world, () => world.client.workflow.count(RUNNING)).then(
    (answer) => answer.count,
    () => null,
  );
  if (count === null) return [...entities, 'what Temporal would say'];
  return count === 0 ? entities : [...(await runningLeases(world)).map((leaseId) => `lease ${leaseId}`), ...entities];
}

/** As `leasehold sweep` does. What it meets is told by what is left. */
async function sweep({ client }: World, integration: IntegrationName): Promise<void> {
  const input = { integration, dryRun: false, deployment: null };
  const run = { signal: AbortSignal.timeout(SWEEP_TIMEOUT_MS), tell: () => undefined };
  await runSweep(client, input, run).catch(() => undefined);
}
