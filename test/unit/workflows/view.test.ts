import type { LeaseInput, LeaseState } from '../../../workflows/contract';
import { beginView, detailsOf } from '../../../workflows/view';

const input: LeaseInput = {
  project: 'backend',
  config: 'prd',
  dynamicSecret: 'S3_UPLOADS',
  ttlMs: null,
  holder: 'library:deploy',
  recipient: { kty: 'OKP', crv: 'X25519', x: 'x' },
  thumbprint: 't',
};
const begun = beginView('a'.repeat(24), input, new Date('2026-01-02T03:04:05Z'));

test('an operator reads what an active lease is, who holds it, what it made and when it ends', () => {
  const text = detailsOf(
    {
      ...begun,
      state: 'active',
      integration: 'aws-prod',
      entity: 'leasehold-x-y',
      issuedAt: '2026-01-02T03:04:06.000Z',
      expiresAt: '2026-01-02T03:34:06.000Z',
      delivered: true,
    },
    null,
  );
  expect(text).toContain('| State | **active** |');
  expect(text).toContain('backend / prd / S3\\_UPLOADS');
  expect(text).toContain('| Holder | library:deploy |');
  expect(text).toContain('leasehold-x-y (integration aws-prod)');
  expect(text).toContain('| Ends | 2026-01-02T03:34:06.000Z |');
  expect(text).toContain('signal `revoke`');
});

test('an ended lease says why it ended and no longer when it would', () => {
  const text = detailsOf(
    {
      ...begun,
      state: 'revoked',
      expiresAt: '2026-01-02T03:34:06.000Z',
      endedBy: 'ada',
      reason: 'key leaked',
      endedAt: '2026-01-02T03:10:00.000Z',
    },
    null,
  );
  expect(text).toContain('| Reason | key leaked |');
  expect(text).toContain('| Ended | 2026-01-02T03:10:00.000Z |');
  expect(text).not.toContain('| Ends |');
});

test('a lease whose end was asked for says when it would have ended, not when it ends', () => {
  const expiresAt = '2026-01-02T03:34:06.000Z';
  for (const state of ['deprovisioning', 'stuck', 'revoked'] as const) {
    const text = detailsOf({ ...begun, state, expiresAt, endedBy: 'ada' }, null);
    expect(text).toContain(`| Was to end | ${expiresAt} |`);
    expect(text).not.toContain('| Ends |');
  }
});

test('each state tells somebody who did not write this what there is to do', () => {
  const advice = (state: LeaseState): string => detailsOf({ ...begun, state }, null).split('\n\n')[1]!;
  for (const state of ['provisioning', 'active'] as const) expect(advice(state)).toContain('signal `revoke`');
  for (const state of ['deprovisioning', 'expired', 'revoked', 'failed'] as const) {
    expect(advice(state)).toContain('There is nothing to do');
  }
  expect(advice('stuck')).toMatch(/`nudge`.*`abandon`/);
  expect(advice('abandoned')).toContain('may still be at the provider');
});

test('text from outside cannot break out of the table', () => {
  const text = detailsOf({ ...begun, holder: 'library:a|b](http://x) <img> `c`' }, null);
  expect(text).toContain('library:a\\|b\\](http://x) \\<img\\> \\`c\\`');
});
