import type { Trace } from './trace';
import type { Vault } from './vault';
import type { World } from './world-types';

/** What can be told of a run only at its end. */
export type Collected = Pick<Trace, 'runs' | 'audit' | 'cutLines' | 'leaks' | 'searched' | 'alerts'>;

export interface CollectOptions {
  /** Its programs stopped, Temporal running. */
  readonly world: Pick<World, 'client' | 'namespace' | 'directory' | 'auditFiles' | 'secrets' | 'alerts'>;
  readonly vault: Pick<Vault, 'holdings'>;
  /** How many histories are replayed, chosen among those in which most happened. */
  readonly replays: number;
}

/** To be called after `world.stopPrograms()` and before `world.close()`. */
export async function collect(options: CollectOptions): Promise<Collected> {
  const { world } = options;
  return {
    runs: [],
    audit: [],
    cutLines: [],
    leaks: [],
    searched: { bytes: 0, files: 0, histories: 0, values: 0 },
    alerts: world.alerts(),
  };
}
