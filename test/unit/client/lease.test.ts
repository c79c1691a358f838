import { inspect } from 'node:util';
import { createLease } from '../../../client/lease';
import type { Lease } from '../../../client/leases';

const values = { ACCESS_KEY_ID: 'canary-id', SECRET_ACCESS_KEY: 'canary-secret' };

function lease(): Lease {
  const leases = { extend: () => Promise.reject(new Error()), revoke: () => Promise.reject(new Error()) };
  return createLease(leases, {
    leaseId: 'a'.repeat(24),
    expiresAt: new Date('2030-01-01T00:00:00.000Z'),
    usableAt: null,
    credential: values,
    facts: { arn: 'arn:x' },
    notes: [],
  });
}

test('the credential is there to be read, spread and serialised on purpose', () => {
  const { credential } = lease();
  expect(credential['ACCESS_KEY_ID']).toBe('canary-id');
  expect({ ...credential }).toEqual(values);
  expect(JSON.parse(JSON.stringify(credential))).toEqual(values);
});

test('printing, copying or serialising the lease does not show the credential', () => {
  const made = lease();
  const texts = [
    inspect(made, { depth: 10 }),
    inspect(made, { depth: 10, showHidden: true }),
    inspect({ nested: [made] }, { depth: 10, showHidden: true }),
    inspect(made.credential),
    JSON.stringify(made),
    JSON.stringify({ ...made }),
    JSON.stringify(Object.entries(made)),
  ];
  for (const text of texts) expect(text).not.toContain('canary');
  expect(inspect(made.credential)).toBe('[credential: ACCESS_KEY_ID, SECRET_ACCESS_KEY]');
  expect(JSON.parse(JSON.stringify(made))).toMatchObject({ leaseId: 'a'.repeat(24), facts: { arn: 'arn:x' } });
});

test('a lease cannot be changed by whoever gets hold of it', () => {
  const made = lease();
  expect(Object.isFrozen(made) && Object.isFrozen(made.credential)).toBe(true);
});
