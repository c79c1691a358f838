import { SWEEP_LISTED } from '../../workflows/contract';
import type { SweepReport, SweptEntity } from '../../workflows/contract';

/** What a sweep counts, for its report. */
export function createTally(integration: string, deployment: string, dryRun: boolean) {
  const removals: SweptEntity[] = [];
  const failures: SweepReport['failures'][number][] = [];
  const unmarkedNames: string[] = [];
  const foreign: Record<string, number> = {};
  const counts = { examined: 0, live: 0, waiting: 0, removed: 0, failed: 0, unmarked: 0 };
  let inARow = 0;
  const list = <T>(items: T[], item: T): void => {
    if (items.length < SWEEP_LISTED) items.push(item);
  };
  return {
    examined: () => {
      counts.examined += 1;
    },
    left: (why: 'keep' | 'wait') => {
      counts[why === 'keep' ? 'live' : 'waiting'] += 1;
    },
    unmarked: (name: string) => {
      counts.unmarked += 1;
      list(unmarkedNames, name);
    },
    foreign: (other: string) => {
      foreign[other] = (foreign[other] ?? 0) + 1;
    },
    removed: (removal: SweptEntity) => {
      counts.removed += 1;
      list(removals, removal);
    },
    /** The provider is there. */
    answered: () => {
      inARow = 0;
    },
    /** Answers how often one after the other the provider was away. */
    failed: (entity: string, failure: string, isAway: boolean): number => {
      counts.failed += 1;
      list(failures, { entity, failure });
      return isAway ? (inARow += 1) : inARow;
    },
    report: (): SweepReport => ({
      integration,
      deployment,
      dryRun,
      ...counts,
      removals,
      failures,
      foreign,
      unmarkedNames,
    }),
  };
}
