import { deriveLeaseId, randomLeaseId } from '../../../client/lease-id';
import type { LeaseIdParts } from '../../../client/lease-id';
import { LEASE_ID_PATTERN } from '../../../workflows/contract';

const parts: LeaseIdParts = {
  deployment: 'abcdefgh',
  holder: 'library:tester',
  project: 'backend',
  config: 'prd',
  dynamicSecret: 'S3_UPLOADS',
  idempotencyKey: 'order-1',
};

test('ids look like lease ids and random ones are never met again', () => {
  const ids = Array.from({ length: 1_000 }, randomLeaseId);
  expect(new Set(ids).size).toBe(1_000);
  for (const id of [...ids, deriveLeaseId(parts)]) expect(id).toMatch(LEASE_ID_PATTERN);
});

test('the id of an idempotency key is the same in every release', () => {
  expect(deriveLeaseId(parts)).toBe('2d2vsjhd4ebqhqzhnrnuajl7');
});

test('another value in any part is another lease', () => {
  const ids = Object.keys(parts).map((name) => deriveLeaseId({ ...parts, [name]: 'other' }));
  expect(new Set([...ids, deriveLeaseId(parts)]).size).toBe(ids.length + 1);
});

test('text moved from one part to the next is another lease', () => {
  const moved = { ...parts, project: 'backen', config: 'dprd' };
  expect(deriveLeaseId(moved)).not.toBe(deriveLeaseId(parts));
  expect(deriveLeaseId({ ...parts, project: 'a', config: '1:b' })).not.toBe(
    deriveLeaseId({ ...parts, project: 'a1:b', config: '' }),
  );
});
