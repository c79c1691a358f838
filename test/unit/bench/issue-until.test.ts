import { failedIssues, issueUntil } from '../../../bench/expire/issue-until';
import type { Credential } from '../../../bench/expire/party';

const { signal } = new AbortController();
const LATER = (): number => Date.now() + 60_000;

/** A party of whose issues these fail, by their number. */
function party(...failing: readonly number[]) {
  let issues = 0;
  return {
    name: 'a party',
    issue: (): Promise<Credential> => {
      issues += 1;
      const role = `role-${issues}`;
      if (failing.includes(issues)) return Promise.reject(new Error('refused'));
      return Promise.resolve({ id: role, role, password: '', notBefore: 0, expiresAt: 0 });
    },
  };
}

test('an issue that fails is told, and the others stand', async () => {
  const issued = await issueUntil(party(7), LATER(), { total: 20, concurrency: 5, signal });
  expect(issued.credentials).toHaveLength(19);
  expect(failedIssues('a party', issued)).toEqual(['a party: 1 of 20 issues failed, and are in no figure: refused']);
});

test('if all could be issued there is nothing to tell', async () => {
  const issued = await issueUntil(party(), LATER(), { total: 3, concurrency: 1, signal });
  expect(failedIssues('a party', issued)).toEqual([]);
});

test('if many fail nothing is measured', async () => {
  const issuing = issueUntil(party(1, 2, 3), LATER(), { total: 20, concurrency: 1, signal });
  await expect(issuing).rejects.toThrow('a party failed to issue 2 credentials: refused');
});

test('what could not be issued in time is an error', async () => {
  const issuing = issueUntil(party(), Date.now() + 1_000, { total: 20, concurrency: 1, signal });
  await expect(issuing).rejects.toThrow('a party issued 0 of 20 credentials before the first was to expire.');
});
