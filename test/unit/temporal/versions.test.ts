import { absent, commandFor, idle, nameOf, readRouting } from '../../../temporal/versions';
import type { Kind } from '../../../temporal/versions';

type Answer = Parameters<typeof readRouting>[0];

const V1 = { deployment: 'shop', build: '1' };
const V2 = { deployment: 'shop', build: '2' };

function version(kind: Kind): { deploymentName: string; buildId: string } | null {
  return kind === null ? null : { deploymentName: kind.deployment, buildId: kind.build };
}

/** What Temporal says of a queue at which these asked for work so many seconds after 1970. */
function queue(
  {
    current = null,
    ramping = null,
    share = 0,
    mode = 2,
  }: { current?: Kind; ramping?: Kind; share?: number; mode?: number },
  ...asked: readonly (readonly [Kind, number])[]
): Answer {
  return {
    versioningInfo: {
      currentDeploymentVersion: version(current),
      rampingDeploymentVersion: version(ramping),
      rampingVersionPercentage: share,
    },
    pollers: asked.map(([kind, seconds]) => ({
      lastAccessTime: { seconds, nanos: 0 },
      deploymentOptions: kind === null ? null : { ...version(kind), workerVersioningMode: mode },
    })),
  } as unknown as Answer;
}

test('the work of a queue without versions goes to workers without one, and a server that knows of none says the same', () => {
  const routing = readRouting(queue({}, [null, 100]), 50_000);
  expect(routing).toEqual({ to: [null], asking: [null] });
  expect(absent(routing)).toEqual([]);
  expect(readRouting({ pollers: [] } as unknown as Answer, 0).to).toEqual([null]);
});

test('a version that is not current is idle, and is missed once it is current and has not asked lately', () => {
  const before = readRouting(queue({}, [null, 100], [V1, 100], [V1, 99]), 50_000);
  expect([absent(before), idle(before)]).toEqual([[], [V1]]);
  const after = readRouting(queue({ current: V1 }, [null, 100], [V1, 40]), 50_000);
  expect([absent(after), idle(after)]).toEqual([[V1], [null]]);
});

test.each([
  [10, [V1, V2]],
  [100, [V2]],
])('while %d of a hundred leases go to another version, workers are needed of %j', (share, needed) => {
  const routing = readRouting(queue({ current: V1, ramping: V2, share }), 0);
  expect(routing.to).toEqual(needed);
  expect(absent(routing)).toEqual(needed);
});

test('a worker that only tells its build has no version', () => {
  expect(readRouting(queue({ mode: 1 }, [V1, 100]), 0).asking).toEqual([null]);
});

test('the command names the deployment and the version as a shell reads them', () => {
  const of = (deployment: string): string => commandFor({ deployment, build: "it's 7" }, null, 'prod');
  expect(of('shop')).toBe(
    `temporal worker deployment set-current-version --namespace prod --deployment-name shop --build-id 'it'\\''s 7'`,
  );
  expect(commandFor(null, V1, 'prod')).toBe(
    'temporal worker deployment set-current-version --namespace prod --deployment-name shop --unversioned',
  );
  expect([nameOf(null), nameOf(V1)]).toEqual(['the unversioned workers', 'version 1 of shop']);
});
