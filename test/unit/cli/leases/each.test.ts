import { revokeEach } from '../../../../cli/leases/each';
import type { EachOptions } from '../../../../cli/leases/each';
import { LeaseError } from '../../../../client/http';
import type { LeaseErrorCode, Revocation, RevokeOptions } from '../../../../client/http';
import { captureOutput } from '../../../support/captured-output';

const OPTIONS: EachOptions = { reason: 'leaver', waitMs: null, json: undefined, isMany: false };

const output = captureOutput();

type Answer = Revocation['state'] | LeaseErrorCode;

function ids(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(index).padStart(24, 'a'));
}

/** Leases that answer so to each revoke of them, and how they were asked. */
function answering(answer: (leaseId: string, options: RevokeOptions) => Answer): {
  readonly asked: [string, boolean][];
  readonly revoke: (leaseId: string, options?: RevokeOptions) => Promise<Revocation>;
} {
  const asked: [string, boolean][] = [];
  const revoke = async (leaseId: string, options: RevokeOptions = {}): Promise<Revocation> => {
    asked.push([leaseId, options.wait !== undefined]);
    const state = answer(leaseId, options);
    if (!/^[a-z]/.test(state)) throw new LeaseError(state as LeaseErrorCode, `${state} of ${leaseId}.`, { leaseId });
    const isEnd = state !== 'accepted';
    return {
      leaseId,
      state: state as Revocation['state'],
      endedAt: isEnd ? new Date('2030-01-01T00:00:00Z') : null,
      endedBy: isEnd ? 'token:ci' : null,
      reason: 'leaver',
    };
  };
  return { asked, revoke };
}

test('what is accepted is told to be on its way, and is no failure', async () => {
  const [id = ''] = ids(1);
  expect(
    await revokeEach(
      answering(() => 'accepted'),
      [id],
      OPTIONS,
    ),
  ).toBe(0);
  expect(output.stdout).toBe(`Lease ${id}: accepted. It is being removed: leasehold leases show ${id}\n`);
  expect(output.stderr).toBe('');
});

test('of many all are asked before one is waited for, and only those that have not ended are waited for', async () => {
  const many = ids(20);
  const leases = answering((id, { wait }) => (wait === undefined && id !== many[3] ? 'accepted' : 'revoked'));
  expect(await revokeEach(leases, many, { ...OPTIONS, waitMs: 60_000, isMany: true })).toBe(0);
  expect(leases.asked.slice(0, 20)).toEqual(many.map((id) => [id, false]));
  expect(leases.asked.slice(20)).toEqual(many.filter((id) => id !== many[3]).map((id) => [id, true]));
  expect(output.stdout).toBe('20 leases ended and removed.\n');
});

test('what is still being removed is counted apart', async () => {
  const many = ids(3);
  const leases = answering((id) => (id === many[0] ? 'expired' : 'accepted'));
  expect(await revokeEach(leases, many, { ...OPTIONS, isMany: true })).toBe(0);
  expect(output.stdout).toBe('1 lease ended and removed. 2 leases being removed: leasehold leases list shows them.\n');
});

test.each([
  [['Forbidden'], 5],
  [['LeaseNotFound'], 4],
  [['Unavailable', 'Throttled'], 3],
  [['Timeout'], 6],
  [['Timeout', 'Forbidden'], 1],
  [['revoked', 'Forbidden'], 1],
  [['revoked', 'revoked'], 0],
] as const)('of %j the exit code is %i, and each failure is told', async (answers, code) => {
  const all = ids(answers.length);
  const leases = answering((id) => answers[all.indexOf(id)]!);
  expect(await revokeEach(leases, all, OPTIONS)).toBe(code);
  for (const [index, answer] of answers.entries()) {
    if (answer === 'revoked')
      expect(output.stdout).toContain(`Lease ${all[index]!}: revoked at 2030-01-01T00:00:00.000Z.\n`);
    else expect(output.stderr).toContain(`Lease ${all[index]!}: ${answer} of ${all[index]!}.\n`);
  }
});

test('one that has too many requests for now is asked on, and what was accepted counts though its end was not seen', async () => {
  jest.useFakeTimers();
  try {
    const many = ids(30);
    const limited = new Set<string>();
    const leases = answering((id, { wait }) => {
      if (wait !== undefined) return id === many[0] ? 'Timeout' : 'revoked';
      if (limited.size > 5 || many.indexOf(id) < 10) return 'accepted';
      limited.add(id);
      return 'Unavailable';
    });
    const ended = revokeEach(leases, many, { ...OPTIONS, waitMs: 60_000, isMany: true });
    await jest.advanceTimersByTimeAsync(20_000);
    expect(await ended).toBe(1);
    expect(output.stdout).toBe(
      '29 leases ended and removed. 1 lease being removed: leasehold leases list shows them.\n',
    );
    expect(output.stderr).toContain(`Lease ${many[0]!}: Timeout of`);
  } finally {
    jest.useRealTimers();
  }
});

test('one that does not come back is given up, and of many failures a few are told', async () => {
  jest.useFakeTimers();
  try {
    const many = ids(30);
    let answers = 0;
    const leases = answering(() => (answers++ < 5 ? 'accepted' : 'Unavailable'));
    const ended = revokeEach(leases, many, { ...OPTIONS, isMany: true });
    await jest.advanceTimersByTimeAsync(300_000);
    expect(await ended).toBe(1);
    expect(output.stdout).toBe('5 leases being removed: leasehold leases list shows them.\n');
    expect(output.stderr.match(/: Unavailable of/g)).toHaveLength(10);
    expect(output.stderr).toContain('So it is with 15 more leases: ');
  } finally {
    jest.useRealTimers();
  }
});

test('what is called off asks no more, and says how many were asked to end', async () => {
  const many = ids(100);
  const leases = answering((id) => {
    if (id === many[0]) process.emit('SIGINT', 'SIGINT');
    return id === many[1] ? 'Forbidden' : 'accepted';
  });
  expect(await revokeEach(leases, many, { ...OPTIONS, json: true })).toBe(130);
  const { length } = leases.asked;
  expect(length).toBeLessThan(10);
  const failed = leases.asked.some(([id]) => id === many[1]) ? 1 : 0;
  expect(output.stdout.trimEnd().split('\n')).toHaveLength(length - failed);
  expect(output.stderr).toContain(`Called off: ${length - failed} of 100 leases were asked to end`);
});
