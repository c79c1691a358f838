import { judge } from './rule';
import type { Evidence, Verdict } from './rule';

/** P7: histories that were written under faults replay against the workflows of this tree. */
export function replaysStill({ trace }: Evidence): Verdict {
  const judgement = judge('P7');
  for (const { leaseId, runId, replay } of trace.runs) {
    if (replay === 'not tried') continue;
    judgement.look();
    if (replay !== 'ok') judgement.violated(leaseId, `Its run ${runId} does not replay: ${replay}`);
  }
  if (trace.runs.length > 0 && trace.runs.every(({ replay }) => replay === 'not tried'))
    judgement.violated(null, 'No history was replayed.');
  return judgement.verdict();
}
