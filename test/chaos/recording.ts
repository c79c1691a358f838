import type { Recorder, Trace } from './trace';

type Recorded = Pick<
  Trace,
  'operations' | 'issues' | 'changes' | 'uses' | 'snapshots' | 'deeds' | 'faults' | 'crashes'
>;
type Lists = { readonly [K in keyof Recorded]: Recorded[K][number][] };

/** What was seen so far, in the order in which it was told. */
export interface Recording extends Recorder {
  readonly seen: Recorded;
}

/** Everything that a run has seen by itself: the rest is read at its end, see collect.ts. */
export interface Seen extends Recorded, Pick<Trace, 'size' | 'startedAt' | 'healedAt' | 'settledAt'> {
  /** Every value that was ever delivered, by what it is: no file may hold one. */
  readonly credentials: ReadonlyMap<string, string>;
}

export function createRecording(): Recording {
  const lists: Lists = {
    operations: [],
    issues: [],
    changes: [],
    uses: [],
    snapshots: [],
    deeds: [],
    faults: [],
    crashes: [],
  };
  return {
    seen: lists,
    issue: (seen) => void lists.issues.push(seen),
    change: (seen) => void lists.changes.push(seen),
    use: (seen) => void lists.uses.push(seen),
    snapshot: (seen) => void lists.snapshots.push(seen),
    deed: (seen) => void lists.deeds.push(seen),
    fault: (seen) => void lists.faults.push(seen),
    operation: (operation, at) => void lists.operations.push({ operation, at }),
    crash: (process, how) => void lists.crashes.push({ process, how, at: Date.now() }),
  };
}
