import { detailsOf, summaryOf } from '../../../client/descriptions';
import type { LeaseInput } from '../../../workflows/contract';

const input: LeaseInput = {
  project: 'backend',
  config: 'prd',
  dynamicSecret: 'S3_UPLOADS',
  ttlMs: null,
  holder: 'library:nightly-export',
  recipient: { kty: 'OKP', crv: 'X25519', x: '' },
  thumbprint: '',
};

test('a lease is one line in the Web UI', () => {
  expect(summaryOf(input)).toBe('backend/prd S3_UPLOADS for library:nightly-export');
});

test('the line stays within what Temporal takes and is no Markdown, whatever the names are', () => {
  const holder = `library:[x](http://y)${'🎅'.repeat(48)}`;
  const summary = summaryOf({ ...input, project: 'p'.repeat(64), dynamicSecret: 'S'.repeat(64), holder });
  expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(200);
  expect(summary).not.toMatch(/[[\]\ufffd]/);
});

test('the details say how to end the lease by hand', () => {
  const details = detailsOf('a'.repeat(24), 'leases');
  expect(details).toContain(
    `temporal workflow signal --namespace leases --workflow-id ${'a'.repeat(24)} --name revoke`,
  );
});
