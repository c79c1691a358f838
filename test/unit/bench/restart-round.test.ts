import { collectMissing } from '../../../bench/missing';
import type { Contender, Held } from '../../../bench/restart-contender';
import { playRound } from '../../../bench/restart-round';
import type { RoundSize } from '../../../bench/restart-round';

const SIZE: RoundSize = {
  ttl: '6h',
  issuedAtOnce: 2,
  settleMs: 0,
  restMs: 1,
  sampled: 2,
  overdue: 2,
  overdueTtl: '1s',
  downMs: 0,
  further: 3,
  furtherAtOnce: 1,
};
const USAGE = { residentMb: 100, cpuSeconds: 1, handles: 10 };
const HISTORY = [{ events: 19, writes: 7, bytes: 4_000 }];

/**
 * A system whose roles are in a set, and which removes what is overdue when it is started.
 * @param refused issues that fail, by their number.
 */
function world(changed: Partial<Contender> = {}, ...refused: readonly number[]) {
  const roles = new Map<string, string>();
  let issues = 0;
  let looks = 0;
  const issue = (ttl: string): Promise<Held> => {
    issues += 1;
    if (refused.includes(issues)) return Promise.reject(new Error('refused'));
    const role = `role-${issues}`;
    roles.set(role, ttl);
    const revoke = (): Promise<void> => {
      roles.delete(role);
      return Promise.resolve();
    };
    return Promise.resolve({ id: role, role, revoke });
  };
  const contender: Contender = {
    name: 'A system',
    programs: ['program'],
    rolePrefixes: ['role-'],
    issue,
    issueAnew: issue,
    kill: () => Promise.resolve(),
    start: () => {
      for (const [role, ttl] of roles) if (ttl === SIZE.overdueTtl) roles.delete(role);
      return Promise.resolve({ program: 5 });
    },
    usage: () => Promise.resolve({ program: USAGE }),
    storageBytes: () => Promise.resolve(1_000),
    historyOf: () => Promise.resolve(HISTORY),
    sweep: () => Promise.resolve(50),
    close: () => Promise.resolve(),
    ...changed,
  };
  const provider = {
    countRoles: () => Promise.resolve(roles.size),
    query: () => {
      looks += 1;
      return Promise.resolve([...roles.keys()].map((rolname) => ({ rolname })));
    },
  };
  const signal = new AbortController().signal;
  const said: string[] = [];
  const say = (line: string): void => {
    said.push(line);
  };
  const missing = collectMissing({ say, signal });
  const play = () =>
    playRound({
      contender,
      provider: provider as unknown as Parameters<typeof playRound>[0]['provider'],
      leases: 4,
      before: { sleeping: [], begun: 0 },
      size: SIZE,
      missing,
      say,
      signal,
    });
  return { play, missing, looks: () => looks };
}

test('a round has all of what was measured, and tells what the next one begins with', async () => {
  const { play, missing } = world();
  const { round, after } = await play();
  expect(missing.sentences).toEqual([]);
  expect(round).toMatchObject({ leases: 4, begun: 4, storageBytes: 1_000, sweepMs: 50, failedIssues: [] });
  expect(round.back).toMatchObject({ overdue: 2, further: 3, firstIssueTries: 1, histories: { revoked: HISTORY } });
  // Two were overdue, one was the first to be issued, and three came after it.
  expect(after).toMatchObject({ sleeping: { length: 4 }, begun: 10 });
});

test('an issue that fails is made again, and told', async () => {
  const { play, missing } = world({}, 2, 6);
  const { round, after } = await play();
  expect(round.failedIssues).toEqual(['refused', 'refused']);
  expect(after).toMatchObject({ sleeping: { length: 4 }, begun: 10 });
  expect(missing.sentences).toEqual([]);
});

test('leases that cannot be issued after several attempts are no round', async () => {
  await expect(world({}, 2, 3, 4, 5, 6).play()).rejects.toThrow('refused');
});

test('what fails once the leases sleep is missing, and the rest stands', async () => {
  const { play, missing } = world({
    sweep: () => Promise.reject(new Error('it saw too few')),
    historyOf: () => Promise.reject(new Error('too late')),
  });
  const { round, after } = await play();
  expect(missing.sentences).toEqual([
    'A system, 4 leases: no sweep was measured: it saw too few',
    'A system, 4 leases: no histories were measured: too late',
  ]);
  expect(round).toMatchObject({ sweepMs: null, back: { overdue: 2, histories: null } });
  expect(after).not.toBeNull();
});

test('a system that does not come back keeps what was measured before, plays no more, and is looked at no more', async () => {
  const { play, missing, looks } = world({ start: () => Promise.reject(new Error('it does not start')) });
  const { round, after } = await play();
  expect(missing.sentences).toEqual(['A system, 4 leases: it did not come back as it must: it does not start']);
  expect(round).toMatchObject({ rest: { program: { residentMb: 100 } }, storageBytes: 1_000, back: null });
  expect(after).toBeNull();
  const before = looks();
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(looks()).toBe(before);
});
