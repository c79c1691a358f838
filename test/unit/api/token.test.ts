import crypto from 'node:crypto';
import { isToken, makeToken, verifyToken } from '../../../api/identity/token';
import { load } from '../../support/config-text';

const { token, hash } = makeToken('ci');
const access = (expiry: string) =>
  load(JSON.stringify({ version: 1, access: { tokens: { ci: { hash, scopes: ['*'], expires_at: expiry } } } })).access;

test('a token names itself and has 256 random bits, of which only a hash is kept', () => {
  expect(token).toMatch(/^lht\.ci\.[a-z2-7]{52}$/);
  expect(isToken(token)).toBe(true);
  expect(hash).toBe(`sha256:${crypto.createHash('sha256').update(token).digest('hex')}`);
  expect(new Set(Array.from({ length: 100 }, () => makeToken('ci').token)).size).toBe(100);
});

test('a token is valid until the instant of its expiry', () => {
  const expiry = '2030-01-31T00:00:00Z';
  expect(verifyToken(token, access(expiry), new Date('2030-01-30T23:59:59.999Z'))?.holder).toBe('token:ci');
  expect(verifyToken(token, access(expiry), new Date(expiry))).toBeNull();
});

test('whatever is sent, one comparison of the same length is made, in constant time', () => {
  const compare = jest.spyOn(crypto, 'timingSafeEqual');
  try {
    const texts = [token, makeToken('ci').token, makeToken('nobody').token, '', 'lht.', 'x'.repeat(16_000)];
    for (const text of texts) verifyToken(text, access('2030-01-31T00:00:00Z'));
    expect(compare.mock.calls.map(([a, b]) => [a.byteLength, b.byteLength])).toEqual(texts.map(() => [32, 32]));
  } finally {
    compare.mockRestore();
  }
});
