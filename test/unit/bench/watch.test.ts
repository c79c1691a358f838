import { watchRoles } from '../../../bench/expire/watch';
import type { Credential } from '../../../bench/expire/party';

const HOUR = 3_600_000;

function credential(role: string, expiresAt: number): Credential {
  return { id: role, role, password: '', notBefore: expiresAt, expiresAt };
}

/** A PostgreSQL that tells, look after look, which roles went and how many may log in. */
function server(...looks: readonly { readonly gone: readonly string[]; readonly usable: number }[]) {
  const left = [...looks];
  return {
    query: (sql: string): Promise<readonly Record<string, unknown>[]> =>
      Promise.resolve(sql.startsWith('WITH gone') ? [{ ...left.shift() }] : []),
  };
}

const ALL_THERE = { gone: [], usable: 2 };

test('each role is told with the moment in which it was first seen to be gone', async () => {
  const past = Date.now() - HOUR;
  const watched = [credential('a', past), credential('b', past)];
  const watch = await watchRoles(
    server(ALL_THERE, { gone: ['b'], usable: 1 }, { gone: ['a'], usable: 0 }),
    'x',
    watched,
  );
  expect((await watch.look()).left).toBe(1);
  const last = await watch.look();
  expect(last).toEqual({ at: last.at, left: 0, usable: 0 });
  expect([...watch.goneAt.keys()]).toEqual(['b', 'a']);
  expect(watch.goneAt.get('a')).toBe(last.at);
  expect(watch.looks).toHaveLength(3);
});

test('a role that goes before its expiry ends the watch, also when others are due', async () => {
  const watched = [credential('a', Date.now() - HOUR), credential('b', Date.now() + HOUR)];
  const watch = await watchRoles(server(ALL_THERE, { gone: ['b'], usable: 1 }), 'x', watched);
  await expect(watch.look()).rejects.toThrow(/^x: role b was gone \d+ ms before its expiry\.$/);
});

test('a role that may not log in any more before the first expiry ends the watch', async () => {
  const future = Date.now() + HOUR;
  const watch = await watchRoles(server(ALL_THERE, { gone: [], usable: 1 }), 'x', [
    credential('a', future),
    credential('b', future),
  ]);
  await expect(watch.look()).rejects.toThrow('x: 1 roles could not log in before the first expiry.');
});

test('what has no role, or the role of another, was not issued', async () => {
  const past = Date.now() - HOUR;
  const [a, b] = [credential('a', past), credential('b', past)];
  await expect(watchRoles(server({ gone: ['a'], usable: 1 }), 'x', [a, b])).rejects.toThrow(
    'x issued 2 credentials, and 1 have a role.',
  );
  await expect(watchRoles(server(), 'x', [a, a])).rejects.toThrow('x gave two credentials the same role.');
});
