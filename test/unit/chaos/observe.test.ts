import { startObserver } from '../../chaos/observe';
import type { Holding } from '../../chaos/holdings';
import { createRecorder } from '../../chaos/recorder';
import type { EntitySeen, Trace } from '../../chaos/trace';
import { entityOf, LEASE, OTHER } from './traces';

const SIZE = { seed: 1, leases: 1, faults: 0, durationMs: 1 };
const nothing = {
  runs: [],
  audit: [],
  cutLines: [],
  leaks: [],
  searched: { bytes: 0, files: 0, histories: 0, values: 0 },
  alerts: [],
};

interface Seeing {
  readonly entities?: () => Promise<readonly EntitySeen[]>;
  readonly holdings?: readonly Holding[];
}

/** Looks three times and answers what was seen. */
async function seen({ entities = () => Promise.resolve([]), holdings = [] }: Seeing): Promise<Trace> {
  const recorder = createRecorder(SIZE);
  const world = {
    entities: (integration: string) => (integration === 'aws' ? entities() : Promise.resolve([])),
    use: (_: string, credential: Readonly<Record<string, string>>) => Promise.resolve(credential['SAYS'] ?? 'ok'),
  };
  const observer = startObserver({ world, recorder, holdings: { holdings }, everyMs: 60_000 });
  await observer.look();
  await observer.look();
  await observer.stop();
  return recorder.trace({ startedAt: 0, healedAt: 0, settledAt: 0 }, nothing);
}

function holdingOf(leaseId: string, worksUntil: number, says: string): Holding {
  return { leaseId, holder: 'ada', integration: 'aws', credential: { SAYS: says }, askedAt: 0, worksUntil };
}

describe('who looks on', () => {
  it('writes down what all providers hold, each entity kept once however often it is seen', async () => {
    const { snapshots } = await seen({ entities: () => Promise.resolve([entityOf(LEASE)]) });
    expect(snapshots.map(({ entities }) => entities)).toEqual(Array(3).fill([entityOf(LEASE)]));
    expect(snapshots[0]!.entities[0]).toBe(snapshots[2]!.entities[0]);
  });

  it('sees an entity whose keys have changed as another', async () => {
    let identity = 0;
    const { snapshots } = await seen({
      entities: () => Promise.resolve([entityOf(LEASE, [String((identity += 1))])]),
    });
    expect(snapshots.map(({ entities }) => entities[0]!.identities)).toEqual([['1'], ['2'], ['3']]);
  });

  it('tries credentials that should work, and such that should not', async () => {
    const holdings = [holdingOf(LEASE, Date.now() + 60_000, 'ok'), holdingOf(OTHER, Date.now() - 1, 'refused')];
    const { uses } = await seen({ holdings });
    expect(uses.map(({ leaseId, answer }) => [leaseId, answer])).toEqual(
      Array(3)
        .fill([
          [LEASE, 'ok'],
          [OTHER, 'refused'],
        ])
        .flat(),
    );
  });

  it('does not conceal that it could not look', async () => {
    await expect(seen({ entities: () => Promise.reject(new Error('The emulator is gone.')) })).rejects.toThrow(
      'The emulator is gone.',
    );
  });
});
