import type { IntegrationName, Moment, Plan } from './plan-types';
import { INTEGRATIONS } from './plan-types';
import { runAndJudge, violationsBy } from './verdict';
import type { Break } from './world-types';
import { zombies } from './zombies';

// A checker that finds nothing may be blind: it has to find each of these. Not by chance, so that each has the scene that needs
// the part that is missing; `npm run chaos -- --break WHAT` finds them among everything else.

function issue(atMs: number, integration: IntegrationName, ttlMs: number): Moment {
  const operation = {
    do: 'issue',
    holder: 'ada',
    integration,
    ttlMs,
    through: 'api-1',
    times: 1,
    hangUpAfterMs: null,
  } as const;
  return { atMs, operation };
}

/** An attempt dies when it has made something. */
function deaths(): Plan {
  return INTEGRATIONS.flatMap((integration, index) => [
    { atMs: index * 4_000, fault: { do: 'kill-at-call', process: 'worker-1', integration, phase: 'after' } },
    issue(index * 4_000 + 300, integration, 5_000),
  ]);
}

/** No code runs any more that could remove what a lease has. */
function terminations(): Plan {
  return INTEGRATIONS.flatMap((integration, index) => [
    issue(index * 1_000, integration, 20_000),
    { atMs: 6_000 + index * 1_000, operation: { do: 'terminate', pick: 0 } },
  ]);
}

test.each<[string, Break, Plan]>([
  ['the fence', 'fence', zombies(40_000)],
  ['the plan before the deed', 'plan', deaths()],
  ['the sweep', 'sweep', terminations()],
])(
  'the checker finds what breaks without %s',
  async (_name, broken, plan) => {
    const size = {
      seed: 0,
      leases: plan.filter(({ operation }) => operation?.do === 'issue').length,
      faults: plan.filter(({ fault }) => fault !== undefined).length,
      durationMs: Math.max(...plan.map(({ atMs }) => atMs)),
    };
    const { report } = await runAndJudge(size, { broken, plan });
    expect(violationsBy(broken, report)).not.toEqual([]);
  },
  5 * 60_000,
);
