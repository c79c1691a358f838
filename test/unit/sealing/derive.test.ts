import { createSecretKey, webcrypto } from 'node:crypto';
import { deriveRecipient } from '../../../sealing/derive';
import { thumbprint } from '../../../sealing/recipient';
import { open, seal } from '../../../sealing/seal';

const lease = 'a'.repeat(24);
const secret = createSecretKey(Buffer.from('a token of 256 random bits'));
const purpose = ['token:ci', 'backend', 'prd', 'TOKEN', 'order-1'];

describe.each(['X25519', 'P-256'] as const)('%s', (curve) => {
  test('the same secret and purpose give one key pair, and what is sealed to it is opened by any copy of it', async () => {
    const [one, two] = await Promise.all([
      deriveRecipient(secret, purpose, curve),
      deriveRecipient(createSecretKey(Buffer.from('a token of 256 random bits')), [...purpose], curve),
    ]);
    expect(two.publicJwk).toEqual(one.publicJwk);
    expect(one.publicJwk.crv).toBe(curve);
    expect(await open(await seal({ KEY: 'x' }, one.publicJwk, lease), two.privateKey, lease)).toEqual({ KEY: 'x' });
  });

  test('another secret, another part of the purpose and text moved between parts are other key pairs', async () => {
    const prints = await Promise.all(
      [
        [secret, purpose],
        [createSecretKey(Buffer.from('another token')), purpose],
        ...purpose.map((_, index) => [secret, purpose.map((part, at) => (at === index ? 'other' : part))]),
        [secret, ['token:c', 'ibackend', 'prd', 'TOKEN', 'order-1']],
        [secret, ['token:ci', '7:backend', 'prd', 'TOKEN', 'order-1']],
        [secret, [...purpose, '']],
      ].map(async ([key, parts]) =>
        thumbprint((await deriveRecipient(key as typeof secret, parts as string[], curve)).publicJwk),
      ),
    );
    expect(new Set(prints).size).toBe(prints.length);
  });

  test('the private key cannot be exported', async () => {
    const { privateKey } = await deriveRecipient(secret, purpose, curve);
    expect(privateKey.extractable).toBe(false);
    await expect(webcrypto.subtle.exportKey('jwk', privateKey)).rejects.toThrow();
  });
});

test('the key pair is the same in every release', async () => {
  const prints = await Promise.all([
    thumbprint((await deriveRecipient(secret, purpose)).publicJwk),
    thumbprint((await deriveRecipient(secret, purpose, 'P-256')).publicJwk),
  ]);
  expect(prints).toEqual([
    'kGHq8N1FbECOEp6HyUxIv8sGEBP8OyD-vVOzs3US9Mc',
    'Ycc4Gcqfoh90Ix1fgU0ND9ywRpFN06TZuhX4AmliOGg',
  ]);
});

test('a purpose may be longer than what the key derivation takes at once', async () => {
  await expect(deriveRecipient(secret, ['x'.repeat(5_000)])).resolves.toMatchObject({ publicJwk: { crv: 'X25519' } });
});
