import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { checkRecipient, generateRecipient, thumbprint } from '../../../sealing/recipient';
import { open, seal } from '../../../sealing/seal';

const credential = { ACCESS_KEY_ID: 'AKIAEXAMPLE', SECRET_ACCESS_KEY: 'canary-secret/+=é' };
const lease = 'a'.repeat(24);

test('only the private key opens what was sealed, for both kinds of key', async () => {
  const own = await generateRecipient();
  const sealed = await seal(credential, own.publicJwk, lease);
  expect(sealed).not.toContain('canary');
  expect(await open(sealed, own.privateKey, lease)).toEqual(credential);
  const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
  const other = checkRecipient(await exportJWK(pair.publicKey));
  expect(await open(await seal(credential, other, lease), pair.privateKey, lease)).toEqual(credential);
  await expect(open(sealed, (await generateRecipient()).privateKey, lease)).rejects.toMatchObject({
    code: 'NotOpened',
  });
});

test("one lease's answer cannot be passed off as another's", async () => {
  const own = await generateRecipient();
  const sealed = await seal(credential, own.publicJwk, lease);
  await expect(open(sealed, own.privateKey, 'b'.repeat(24))).rejects.toMatchObject({ code: 'WrongLease' });
  const [, ...rest] = sealed.split('.');
  const header = { alg: 'ECDH-ES', enc: 'A256GCM', crit: ['lease'], lease: 'b'.repeat(24) };
  const forged = [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.');
  await expect(open(forged, own.privateKey, 'b'.repeat(24))).rejects.toMatchObject({ code: 'NotOpened' });
});

test('altered and foreign text is refused without repeating it', async () => {
  const own = await generateRecipient();
  const sealed = await seal(credential, own.publicJwk, lease);
  for (const bad of [
    '',
    'x',
    sealed.slice(0, -3),
    `${sealed}.x`,
    sealed.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')),
  ]) {
    await expect(open(bad, own.privateKey, lease)).rejects.toMatchObject({ code: 'NotOpened' });
  }
});

test('the private key cannot be exported', async () => {
  const own = await generateRecipient();
  await expect(exportJWK(own.privateKey)).rejects.toThrow();
});

test('a thumbprint is that of RFC 7638', async () => {
  const jwk = { kty: 'OKP', crv: 'X25519', x: '3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08' } as const;
  const canonical = `{"crv":"X25519","kty":"OKP","x":"${jwk.x}"}`;
  expect(await thumbprint(jwk)).toBe(createHash('sha256').update(canonical).digest('base64url'));
});

test('keys that are not public, not of a known curve, or not whole are refused, and a private part is not repeated', () => {
  const x = 'A'.repeat(43);
  const bad = [
    null,
    'x',
    {},
    { kty: 'OKP', crv: 'X25519' },
    { kty: 'OKP', crv: 'X25519', x: 'AA' },
    { kty: 'EC', crv: 'X25519', x },
    { kty: 'OKP', crv: 'Ed25519', x },
    { kty: 'EC', crv: 'P-256', x },
    { kty: 'OKP', crv: 'X25519', x, kid: 'y' },
    { kty: 'OKP', crv: 'X25519', x, d: 'canary' },
  ];
  for (const jwk of bad) {
    expect(() => checkRecipient(jwk)).toThrow(/public key cannot be used/);
    expect(() => checkRecipient(jwk)).not.toThrow(/canary/);
  }
});

test('a point that is not on the curve is refused', async () => {
  const jwk = { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'B'.repeat(42) + 'A' } as const;
  await expect(seal(credential, jwk, lease)).rejects.toMatchObject({ code: 'InvalidRecipient' });
});
