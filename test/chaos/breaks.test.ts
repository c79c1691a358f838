import type { Size } from './plan-types';
import { runAndJudge, violationsBy } from './verdict';
import type { Break } from './world-types';

const SIZE: Size = { seed: 3, leases: 120, faults: 20, durationMs: 75_000 };

// A checker that finds nothing may be blind: it has to find each of these.
test.each<[string, Break]>([
  ['the fence', 'fence'],
  ['the plan before the deed', 'plan'],
  ['the sweep', 'sweep'],
])(
  'the checker finds what breaks without %s',
  async (_name, broken) => {
    const { report } = await runAndJudge(SIZE, { broken });
    expect(violationsBy(broken, report)).not.toEqual([]);
  },
  8 * 60_000,
);
