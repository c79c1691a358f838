import {
  allHandlersFinished,
  condition,
  defineSignal,
  defineUpdate,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import { ATTRIBUTES } from '../../workflows/contract';
import { FLOOR_MAKE_QUEUE, FLOOR_REMOVE_QUEUE } from './shape';
import type { FarActivities, FloorInput, FloorPlan, MakeInput, NearActivities, Shape } from './shape';

export const claim = defineUpdate<string>('claim');
export const finish = defineSignal('finish');

const TTL = '30m';

const near = proxyLocalActivities<NearActivities>({ startToCloseTimeout: '5s' });

/** As little as Temporal's SDK can do in the shape of a lease, and so much more as `shape` says. */
export async function floor(input: FloorInput): Promise<void> {
  const { leaseId, shape } = input;
  let answer: string | null = null;
  let isFinished = false;
  if (shape.upserts === true) patched('floor');
  setHandler(claim, async () => {
    await condition(() => answer !== null);
    return answer ?? '';
  });
  setHandler(finish, () => {
    isFinished = true;
  });

  describe(shape, 'provisioning');
  const plan = shape.plan === true ? await near.plan(input) : null;
  if (shape.upserts === true) upsertPlan(plan);
  const made = await make({ leaseId, shape, plan });
  if (shape.upserts === true) upsertActive();
  describe(shape, 'active');
  if (shape.record === true) await near.record(lineOf(leaseId, plan, 'issued'));
  answer = made;
  if (shape.timers === true) await condition(() => isFinished, TTL, { summary: 'until the run is over' });
  else await condition(() => isFinished);

  upsertState(shape, 'deprovisioning');
  await remove({ leaseId, shape, plan });
  upsertState(shape, 'revoked');
  if (shape.record === true) await near.record(lineOf(leaseId, plan, 'revoked'));
  await condition(allHandlersFinished);
}

function make(input: MakeInput): Promise<string> {
  if (input.shape.local === true) return near.make(input);
  return proxyActivities<FarActivities>({ ...optionsOf(input.shape), taskQueue: FLOOR_MAKE_QUEUE }).make(input);
}

async function remove(input: MakeInput): Promise<void> {
  const { shape } = input;
  if (shape.local === true) return near.remove(input);
  let isOver = false;
  const watch = shape.timers === true ? condition(() => isOver, TTL, { summary: 'watch' }) : null;
  await proxyActivities<FarActivities>({ ...optionsOf(shape), taskQueue: FLOOR_REMOVE_QUEUE }).remove(input);
  isOver = true;
  await watch;
}

function optionsOf({ timers }: Shape): ActivityOptions {
  if (timers !== true) return { startToCloseTimeout: '15s' };
  return { startToCloseTimeout: '15s', scheduleToCloseTimeout: '60s', heartbeatTimeout: '8s' };
}

function upsertPlan(plan: FloorPlan | null): void {
  upsertSearchAttributes([
    { key: ATTRIBUTES.integration, value: plan?.integration ?? 'floor' },
    { key: ATTRIBUTES.entity, value: plan?.entity ?? 'floor' },
  ]);
}

function upsertActive(): void {
  upsertSearchAttributes([
    { key: ATTRIBUTES.state, value: 'active' },
    { key: ATTRIBUTES.expiresAt, value: new Date(Date.now() + 1_800_000) },
  ]);
}

function upsertState(shape: Shape, state: string): void {
  if (shape.upserts === true) upsertSearchAttributes([{ key: ATTRIBUTES.state, value: state }]);
  describe(shape, state);
}

function describe({ described }: Shape, state: string): void {
  if (described === true) setCurrentDetails(`| Lease | floor |\n| --- | --- |\n| State | **${state}** |\n`.repeat(5));
}

function lineOf(leaseId: string, plan: FloorPlan | null, event: string): Readonly<Record<string, string | null>> {
  return {
    id: `${leaseId}/${event}`,
    event,
    leaseId,
    holder: 'library:bench',
    project: 'bench',
    config: 'floor',
    dynamicSecret: 'FLOOR',
    integration: plan?.integration ?? null,
    entity: plan?.entity ?? null,
    by: null,
    reason: null,
  };
}
