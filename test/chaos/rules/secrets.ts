import { judge } from './rule';
import type { Evidence, Verdict } from './rule';

/** P4: no credential was found in a file or a history. */
export function revealedOnce({ trace, terms }: Evidence): Verdict {
  const judgement = judge('P4');
  for (let value = 0; value < trace.searched.values; value += 1) judgement.look();
  if (trace.searched.histories < trace.runs.length) {
    judgement.violated(
      null,
      `Only ${trace.searched.histories} histories of ${trace.runs.length} were searched for credentials.`,
    );
  }
  if (trace.searched.values < terms.size || trace.searched.files === 0) {
    judgement.violated(
      null,
      `Only ${trace.searched.values} values of ${terms.size} leases were looked for, in ${trace.searched.files} files.`,
    );
  }
  for (const what of trace.leaks) judgement.violated(null, what);
  return judgement.verdict();
}
