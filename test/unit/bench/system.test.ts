import type { Provider } from '../../../bench/provider';
import { verifyRoles } from '../../../bench/issue/system';
import type { Issued, System } from '../../../bench/issue/system';

const system: System = {
  name: 'a system',
  rolePrefix: 'some-',
  worker: null,
  issue: () => Promise.reject(new Error('Nothing is issued here.')),
};

function having(...roles: readonly string[]): Provider {
  return { listRoles: () => Promise.resolve(roles) } as unknown as Provider;
}

function issued(...roles: readonly (string | null)[]): readonly Issued[] {
  return roles.map((role) => ({ role, end: () => Promise.resolve() }));
}

test('what was issued is at the provider, and nothing else', async () => {
  await verifyRoles(having('some-a', 'some-b'), system, issued('some-b', 'some-a'));
  await verifyRoles(having(), system, []);
});

test.each([
  ['a role that was never made', having('some-a'), issued('some-a', 'some-b')],
  ['a role of another name', having('some-a', 'some-x'), issued('some-a', 'some-b')],
  ['a lease that tells no role', having('some-a', 'some-b'), issued('some-a', null)],
  ['a role that was to be gone', having('some-a'), issued()],
  ['one role for two leases', having('some-a'), issued('some-a', 'some-a')],
])('%s is an error and no figure', async (_, provider, all) => {
  await expect(verifyRoles(provider, system, all)).rejects.toThrow('a system: of');
});

test('what makes no roles is not asked for any', async () => {
  const asking = { listRoles: () => Promise.reject(new Error('It was asked.')) } as unknown as Provider;
  await verifyRoles(asking, { ...system, rolePrefix: null }, issued(null));
});
