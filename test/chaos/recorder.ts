import type { Size } from './plan-types';
import type { Collected } from './collect';
import type { EntitySeen, Recorder, Snapshot, Trace } from './trace';

/** When a run began, was healed and had settled. */
export interface Times {
  readonly startedAt: number;
  readonly healedAt: number;
  readonly settledAt: number;
}

/** Holds what is seen while a run lasts. */
export interface TraceRecorder extends Recorder {
  trace(times: Times, collected: Collected): Trace;
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] extends readonly (infer Each)[] ? Each[] : T[Field] };
type Seen = Pick<Trace, 'operations' | 'issues' | 'changes' | 'uses' | 'snapshots' | 'deeds' | 'faults' | 'crashes'>;

export function createRecorder(size: Size): TraceRecorder {
  const seen: Mutable<Seen> = {
    operations: [],
    issues: [],
    changes: [],
    uses: [],
    snapshots: [],
    deeds: [],
    faults: [],
    crashes: [],
  };
  const share = createSharing();
  return {
    issue: (issue) => seen.issues.push(issue),
    change: (change) => seen.changes.push(change),
    use: (use) => seen.uses.push(use),
    snapshot: (snapshot) => seen.snapshots.push(share(snapshot)),
    deed: (deed) => seen.deeds.push(deed),
    fault: (fault) => seen.faults.push(fault),
    operation: (operation, at) => seen.operations.push({ operation, at }),
    crash: (process, how) => seen.crashes.push({ process, at: Date.now(), how }),
    trace: (times, collected) => ({ size, ...times, ...seen, ...collected }),
  };
}

/** An entity looks the same in all snapshots of its life: it is held once, so that thousands of snapshots fit into memory. */
function createSharing(): (snapshot: Snapshot) => Snapshot {
  const known = new Map<string, EntitySeen>();
  const share = (entity: EntitySeen): EntitySeen => {
    const key = JSON.stringify([entity.integration, entity.name, entity.leaseId, entity.identities]);
    const held = known.get(key);
    if (held !== undefined) return held;
    known.set(key, entity);
    return entity;
  };
  return (snapshot) => ({ ...snapshot, entities: snapshot.entities.map(share) });
}
