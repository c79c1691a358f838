import { readAuditFiles } from './audit-files';
import { readHistories } from './histories';
import { searchFiles, secretsOf } from './leaks';
import { createNeedles } from './needles';
import { replaySample } from './replays';
import type { Trace } from './trace';
import type { Holdings } from './holdings';
import type { World } from './world-types';

/** What can be told of a run only at its end. */
export type Collected = Pick<Trace, 'runs' | 'audit' | 'cutLines' | 'leaks' | 'searched' | 'alerts'>;

export interface CollectOptions {
  /** Its programs stopped, Temporal running. */
  readonly world: Pick<World, 'client' | 'directory' | 'auditFiles' | 'secrets' | 'alerts'>;
  readonly holdings: Pick<Holdings, 'holdings'>;
  /** How many histories are replayed, chosen among those in which most happened. */
  readonly replays: number;
}

/** To be called after `world.stopPrograms()` and before `world.close()`. */
export async function collect({ world, holdings, replays }: CollectOptions): Promise<Collected> {
  const secrets = secretsOf(holdings.holdings, world.secrets);
  const needles = createNeedles(secrets);
  const read = await readHistories(world, needles);
  const files = await searchFiles(world.directory, needles);
  return {
    runs: await replaySample(world, read, replays),
    ...(await readAuditFiles(world.auditFiles)),
    leaks: [...read.leaks, ...files.leaks],
    searched: {
      bytes: read.bytes + files.bytes,
      files: files.files,
      histories: read.histories,
      values: secrets.size,
    },
    alerts: world.alerts(),
  };
}
