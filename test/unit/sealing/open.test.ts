import { compactDecrypt, CompactEncrypt, decodeProtectedHeader, importJWK } from 'jose';
import { generateRecipient } from '../../../sealing/recipient';
import type { RecipientKeyPair } from '../../../sealing/recipient';
import { open, seal } from '../../../sealing/seal';

const lease = 'a'.repeat(24);
const header = { alg: 'ECDH-ES', enc: 'A256GCM', typ: 'leasehold-credential', lease, crit: ['lease'] };

async function forge(pair: RecipientKeyPair, text: string, change: object = {}): Promise<string> {
  const key = await importJWK({ ...pair.publicJwk }, 'ECDH-ES');
  return new CompactEncrypt(Buffer.from(text))
    .setProtectedHeader({ ...header, ...change })
    .encrypt(key, { crit: { lease: true } });
}

test('an opener that does not know the lease in the header must refuse', async () => {
  const pair = await generateRecipient();
  const sealed = await seal({ KEY: 'x' }, pair.publicJwk, lease);
  expect(decodeProtectedHeader(sealed)).toMatchObject(header);
  await expect(compactDecrypt(sealed, pair.privateKey)).rejects.toThrow(/lease/);
});

test('only the one algorithm, cipher and type are opened', async () => {
  const pair = await generateRecipient();
  expect(await open(await forge(pair, '{"KEY":"x"}'), pair.privateKey, lease)).toEqual({ KEY: 'x' });
  for (const change of [{ alg: 'ECDH-ES+A256KW' }, { enc: 'A128GCM' }, { typ: 'JWT' }, { typ: undefined }]) {
    const sealed = await forge(pair, '{"KEY":"x"}', change);
    await expect(open(sealed, pair.privateKey, lease)).rejects.toMatchObject({ code: 'NotOpened' });
  }
});

test.each(['', 'canary', '[]', '["canary"]', 'null', '{"KEY":1}', '{"KEY":{"canary":"x"}}', '"canary"'])(
  'content %j is no credential, and is not repeated',
  async (text) => {
    const pair = await generateRecipient();
    const opened = open(await forge(pair, text), pair.privateKey, lease);
    await expect(opened).rejects.toMatchObject({
      code: 'NotOpened',
      message: expect.not.stringContaining('canary') as string,
    });
  },
);

test('another spelling of the same bytes is not what was sealed', async () => {
  const pair = await generateRecipient();
  const sealed = await seal({ KEY: 'x' }, pair.publicJwk, lease);
  const last = String.fromCharCode(sealed.charCodeAt(sealed.length - 1) + 1);
  const respelled = sealed.slice(0, -1) + last;
  expect(Buffer.from(respelled.split('.')[4]!, 'base64url')).toEqual(Buffer.from(sealed.split('.')[4]!, 'base64url'));
  await expect(open(respelled, pair.privateKey, lease)).rejects.toMatchObject({ code: 'NotOpened' });
});

test('what is no map of names to strings, or too large, is not sealed', async () => {
  const { publicJwk } = await generateRecipient();
  for (const odd of [{}, { '': 'x' }, { KEY: 1 }, { KEY: null }, { KEY: 'x'.repeat(65_536) }]) {
    await expect(seal(odd as never, publicJwk, lease)).rejects.toMatchObject({ code: 'InvalidCredential' });
  }
});

test('a private key that is sent as recipient is refused', async () => {
  const { publicJwk } = await generateRecipient();
  const sent = seal({ KEY: 'x' }, { ...publicJwk, d: 'canary' } as never, lease);
  await expect(sent).rejects.toMatchObject({
    code: 'InvalidRecipient',
    message: expect.not.stringContaining('canary') as string,
  });
});
