import type { Provider } from '../../../bench/provider';
import { rolesLeft, untilGone } from '../../../bench/roles-gone';

/** A server that has these roles, and each time it is asked loses the first of them. */
function losing(...roles: string[]): Pick<Provider, 'query'> & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    query: (sql) => {
      asked.push(sql);
      const there = roles.map((rolname) => ({ rolname }));
      roles.shift();
      return Promise.resolve(there);
    },
  };
}

const SOON = { everyMs: 1, withinMs: 1_000, signal: new AbortController().signal };

test('it is looked until no role is left, and told when each was gone', async () => {
  const provider = losing('a', 'b');
  const gone = await untilGone(provider, ['a', 'b'], SOON);
  expect(gone).toHaveLength(2);
  expect(gone[0]).toBeLessThan(gone[1]!);
  expect(provider.asked.at(-1)).toBe("SELECT rolname FROM pg_authid WHERE rolname IN ('b')");
});

test('a role that stays is told', async () => {
  const staying = { query: () => Promise.resolve([{ rolname: 'a' }]) };
  await expect(untilGone(staying, ['a', 'b'], { ...SOON, withinMs: 5 })).rejects.toThrow(
    '1 of 2 roles whose leases have ended are still there after 0.005 s.',
  );
});

test('nobody is asked about no roles', async () => {
  const provider = losing('a');
  expect(await rolesLeft(provider, [])).toEqual(new Set());
  expect(provider.asked).toEqual([]);
});
