import { randomUUID } from 'node:crypto';
import { apiOf, askTemporal, choose, record, runningLeases } from './actor';
import type { Actor } from './actor';
import type { Operation } from './plan-types';

type Deed = Extract<Operation, { do: 'cancel' | 'terminate' | 'reset' | 'abandon' }>;

/** For a removal to become stuck that is under way when its provider goes away. */
const STUCK_WITHIN_MS = 8_000;

/** What operators do to a lease in Temporal, and to a removal that cannot succeed. Answers whether there was one. */
export async function operate(actor: Actor, operation: Deed): Promise<boolean> {
  const { world, holdings } = actor;
  const { do: what, pick } = operation;
  const leaseId =
    what === 'abandon'
      ? await choose(pick, () => runningLeases(world, ' AND LeaseState = "stuck"'), STUCK_WITHIN_MS)
      : await choose(pick, () => runningLeases(world));
  if (leaseId === undefined) return false;
  holdings.endAsked(leaseId);
  await record(actor, { what, leaseIds: [leaseId] }, async () => {
    await deedOf(actor, what, leaseId, pick);
    return {};
  });
  return true;
}

async function deedOf(actor: Actor, what: Deed['do'], leaseId: string, pick: number): Promise<void> {
  const { world } = actor;
  const handle = world.client.workflow.getHandle(leaseId);
  switch (what) {
    case 'cancel':
      await askTemporal(world, () => handle.cancel());
      return;
    case 'terminate':
      await askTemporal(world, () => handle.terminate('chaos'));
      return;
    case 'reset':
      await askTemporal(world, () => reset(actor, leaseId));
      return;
    case 'abandon':
      if (pick < 0.5) await actor.leases('admin', apiOf(pick)).abandon(leaseId, { reason: 'chaos' });
      else await askTemporal(world, () => handle.signal('abandon', { by: 'chaos', reason: 'by hand' }));
  }
}

/** To the end of its first workflow task: nothing but the plan is behind it then. */
async function reset({ world }: Actor, leaseId: string): Promise<void> {
  const { client, namespace } = world;
  const { runId } = await client.workflow.getHandle(leaseId).describe();
  const { events } = await client.workflow.getHandle(leaseId, runId).fetchHistory();
  const task = events?.find((event) => event.workflowTaskCompletedEventAttributes != null);
  if (task?.eventId == null) throw new Error('No workflow task of the lease has been completed.');
  await client.workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: { workflowId: leaseId, runId },
    workflowTaskFinishEventId: task.eventId,
    requestId: randomUUID(),
    reason: 'chaos',
  });
}
