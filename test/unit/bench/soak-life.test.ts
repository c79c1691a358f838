import { lifeOf } from '../../../bench/soak-life';

/** All combinations occur once: 2 ways, revoked or not, every third extended, 23 TTLs. */
const ALL = 12 * 23;
const lives = Array.from({ length: ALL }, (_, index) => lifeOf(index));

test('half goes through HTTP, half is revoked and a third is extended, independently of each other', () => {
  const http = lives.filter(({ over }) => over === 'http');
  expect(http).toHaveLength(ALL / 2);
  const revoked = http.filter(({ revokeAfterMs }) => revokeAfterMs !== null);
  expect(revoked).toHaveLength(ALL / 4);
  expect(revoked.filter(({ extendAfterMs }) => extendAfterMs !== null)).toHaveLength(ALL / 12);
});

test('TTLs go from 8 s to 30 s', () => {
  const ttls = new Set(lives.map(({ ttlMs }) => ttlMs));
  expect(ttls.size).toBe(23);
  expect([Math.min(...ttls), Math.max(...ttls)]).toEqual([8_000, 30_000]);
});

test('whatever is done to a lease is done before its expiry, and revoked is what was extended before', () => {
  for (const { ttlMs, extendAfterMs, revokeAfterMs } of lives) {
    expect(extendAfterMs ?? 0).toBeLessThan(revokeAfterMs ?? ttlMs);
    expect(revokeAfterMs ?? 0).toBeLessThan(ttlMs);
  }
});
