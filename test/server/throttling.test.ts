import { pause, REQUEST, useLab } from '../support/lab';
import type { Lab } from '../support/lab';

let lab: Lab;

useLab(async (opened) => {
  lab = opened;
  await lab.startWorker();
});

test('a provider that throttles every call for a while delays issues, extensions and ends, and loses none', async () => {
  const ttls = ['5s', '10m', '10m', '10m'];
  const [expiring, revoked, extended, untouched] = await Promise.all(
    ttls.map((ttl) => lab.leases.issue({ ...REQUEST, ttl })),
  );
  lab.proxy.fault({ operation: '*', kind: 'throttle', times: Infinity, retryAfterSeconds: 1 });
  const throttled = lab.proxy.calls.length;
  const issues = Promise.all(['10m', '10m', '10m'].map((ttl) => lab.leases.issue({ ...REQUEST, ttl })));
  const revocation = revoked!.revoke({ wait: true });
  const extension = extended!.extend('20m');
  await pause(expiring!.expiresAt.getTime() - Date.now() + 2_500);
  expect(lab.proxy.calls.slice(throttled).map(({ status }) => status)).not.toContain(200);
  expect(await lab.aws.identity(revoked!.credential)).toBe('ok');
  expect(await lab.leases.get(revoked!.leaseId)).toMatchObject({ endedAt: null });
  expect(await lab.leases.get(expiring!.leaseId)).toMatchObject({ endedAt: null });
  lab.proxy.clearFaults();

  expect(await revocation).toMatchObject({ state: 'revoked' });
  expect(await lab.outcome(expiring!.leaseId)).toMatchObject({ state: 'expired' });
  expect((await extension).getTime()).toBeGreaterThan(extended!.expiresAt.getTime());
  const live = [...(await issues), extended!, untouched!];
  for (const lease of live) {
    expect(await lab.aws.identity(lease.credential)).toBe('ok');
    const [user, ...more] = await lab.aws.usersLike(lease.leaseId);
    expect(more).toEqual([]);
    expect(await lab.aws.keys(user!)).toEqual([lease.credential['ACCESS_KEY_ID']]);
  }
  for (const lease of [expiring!, revoked!]) {
    expect(await lab.aws.identity(lease.credential)).toBe('InvalidClientTokenId');
    expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
  }
  const ends = await Promise.all(live.map((lease) => lease.revoke({ wait: true })));
  expect(ends.map(({ state }) => state)).toEqual(live.map(() => 'revoked'));
  for (const lease of live) expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
}, 60_000);
