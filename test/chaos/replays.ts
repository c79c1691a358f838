import { asRun, replay } from '../support/replay';
import type { HistoriesRead } from './histories';
import type { LeaseRun } from './trace';
import type { World } from './world-types';

/** Replays a sample: half of it those in which most happened, half spread over the run. Answers all runs, with what came of it. */
export async function replaySample(
  world: Pick<World, 'client'>,
  { runs, lengths }: Pick<HistoriesRead, 'runs' | 'lengths'>,
  count: number,
): Promise<readonly LeaseRun[]> {
  const outcomes = new Map<string, string>();
  for (const { leaseId, runId } of choose(runs, lengths, count)) {
    const history = await world.client.workflow.getHandle(leaseId, runId).fetchHistory();
    const outcome = await replay(asRun(history, runId), leaseId).then(
      () => 'ok',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    outcomes.set(runId, outcome);
  }
  return runs.map((run) => ({ ...run, replay: outcomes.get(run.runId) ?? run.replay }));
}

function choose(runs: readonly LeaseRun[], lengths: ReadonlyMap<string, number>, count: number): ReadonlySet<LeaseRun> {
  const longest = runs.toSorted((one, other) => (lengths.get(other.runId) ?? 0) - (lengths.get(one.runId) ?? 0));
  const inTime = runs.toSorted((one, other) => one.startedAt - other.startedAt);
  const step = Math.max(1, Math.ceil((2 * inTime.length) / count));
  return new Set([
    ...longest.slice(0, Math.ceil(count / 2)),
    ...inTime.filter((_, index) => index % step === 0).slice(0, Math.floor(count / 2)),
  ]);
}
