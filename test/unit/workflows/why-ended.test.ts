import { beginView } from '../../../workflows/view';
import { whyEnded } from '../../../workflows/why-ended';

const begun = beginView(
  'a'.repeat(24),
  {
    project: 'backend',
    config: 'prd',
    dynamicSecret: 'S3_UPLOADS',
    ttlMs: null,
    holder: 'library:ada',
    recipient: { kty: 'OKP', crv: 'X25519', x: '' },
    thumbprint: '',
  },
  new Date(0),
);
const revoked = { by: 'token:admin', reason: 'leaked' };
const record = { view: { ...begun, endedBy: revoked.by, reason: revoked.reason }, condemned: revoked };

test('a line of an issue or an extension tells nothing of a revoke that came before it was written', () => {
  expect(whyEnded('issued', record)).toEqual({ by: null, reason: null });
  expect(whyEnded('extended', record)).toEqual({ by: null, reason: null });
  expect(whyEnded('revoked', record)).toEqual(revoked);
});

test('a line of a stuck removal tells who asked for it, also when somebody has given it up by then', () => {
  const abandoned = { ...record, view: { ...record.view, endedBy: 'token:ops', reason: 'the account is closed' } };
  expect(whyEnded('stuck', abandoned)).toEqual(revoked);
  expect(whyEnded('abandoned', abandoned)).toEqual({ by: 'token:ops', reason: 'the account is closed' });
  // It was given up in the moment in which it succeeded.
  expect(whyEnded('revoked', abandoned)).toEqual(revoked);
  expect(whyEnded('stuck', { ...abandoned, condemned: null })).toEqual({ by: null, reason: null });
});

test('a line of a failure tells what failed', () => {
  const failure = { type: 'Refused', message: 'The provider refused.' } as const;
  expect(whyEnded('failed', { view: { ...begun, failure }, condemned: null })).toEqual({
    by: null,
    reason: 'Refused: The provider refused.',
  });
});
