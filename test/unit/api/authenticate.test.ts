import { createAuthenticate } from '../../../api/identity/authenticate';
import { makeToken } from '../../../api/identity/token';
import { load } from '../../support/config-text';

const ci = makeToken('ci');
const expired = makeToken('old');
const later = makeToken('later');
const entries = {
  ci: { hash: ci.hash, scopes: ['*'] },
  old: { hash: expired.hash, scopes: ['*'], expires_at: '2020-01-31T00:00:00Z' },
  later: { hash: later.hash, scopes: ['*'], expires_at: '2100-01-31T00:00:00Z' },
};
const config = (tokens: unknown) => load(JSON.stringify({ version: 1, access: { tokens } }));
const authenticate = createAuthenticate(() => config(entries));
const basic = (text: string): string => Buffer.from(text).toString('base64');

const accepted: readonly [string, string][] = [
  ['a bearer token', `Bearer ${ci.token}`],
  ['a bearer token, whatever the case of the word', `bearer ${ci.token}`],
  ['a bearer token after several spaces', `BEARER   ${ci.token}`],
  ['the user name of Basic', `Basic ${basic(`${ci.token}:`)}`],
  ['the user name of Basic with a password, which is not looked at', `basic ${basic(`${ci.token}:x:y`)}`],
  ['the user name of Basic without a colon', `Basic ${basic(ci.token)}`],
  ['the raw token after Basic', `Basic ${ci.token}`],
];

test.each(accepted)('%s is accepted', async (_, header) => {
  const { secret, ...identity } = await authenticate(header);
  expect(identity).toEqual({
    tokenId: 'token/ci',
    holder: 'token:ci',
    rights: new Set(['read', 'lease', 'revoke-own']),
    scopes: [{ project: '*', config: '*' }],
    expiresAt: null,
  });
  expect(secret?.export().toString()).toBe(ci.token);
});

const refused: readonly [string, string | undefined][] = [
  ['no header', undefined],
  ['an empty header', ''],
  ['a word alone', 'Bearer'],
  ['a word and a space', 'Bearer '],
  ['a token without a word', ci.token],
  ['another word', `Token ${ci.token}`],
  ['a tab in place of the space', `Bearer\t${ci.token}`],
  ['two tokens', `Bearer ${ci.token} ${ci.token}`],
  ['something after the token', `Bearer ${ci.token},`],
  ['a token cut short', `Bearer ${ci.token.slice(0, -1)}`],
  ['a token in capitals', `Bearer ${ci.token.toUpperCase()}`],
  ['another secret of the same name', `Bearer ${makeToken('ci').token}`],
  ['the secret under the name of another', `Bearer ${ci.token.replace('lht.ci.', 'lht.later.')}`],
  ['a name that is not configured', `Bearer ${makeToken('cd').token}`],
  ['a name of the language', `Bearer ${makeToken('constructor').token}`],
  ['a name that names have not', `Bearer ${ci.token.replace('lht.ci.', 'lht.__proto__.')}`],
  ['an empty name', `Bearer ${ci.token.replace('lht.ci.', 'lht..')}`],
  ['the hash itself', `Bearer ${ci.hash}`],
  ['an expired token', `Bearer ${expired.token}`],
  ['Basic with the token as the password', `Basic ${basic(`user:${ci.token}`)}`],
  ['Basic with nothing', `Basic ${basic(':')}`],
  ['Basic with junk', 'Basic %%%=='],
  ['Basic with bytes that are no text', `Basic ${Buffer.from([0xff, 0xfe, 0, 1]).toString('base64')}`],
  ['a header of 16 kB', `Bearer ${'a'.repeat(16_000)}`],
  ['a longer one', `Bearer ${'a'.repeat(64_000)}`],
  ['16 kB of spaces', `Bearer ${' '.repeat(16_000)}`],
  ['a token of an issuer that is not configured', `Bearer ${basic('{"alg":"none"}')}.${basic('{"iss":"https://a"}')}.`],
];

test.each(refused)('%s is refused, and in the same words', async (_, header) => {
  const refusal = {
    status: 401,
    code: 'unauthenticated',
    facts: {},
    message: expect.stringContaining('No valid token'),
  };
  const error: unknown = await authenticate(header).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject(refusal);
  expect((error as Error).message).toBe(
    await authenticate(undefined).catch((thrown: unknown) => (thrown as Error).message),
  );
});

test('a token ends with its expiry or its entry, and another one may stand for the same holder', async () => {
  let tokens: Record<string, unknown> = entries;
  const asked = createAuthenticate(() => config(tokens));
  expect(await asked(`Bearer ${later.token}`)).toMatchObject({ expiresAt: new Date('2100-01-31T00:00:00Z') });
  tokens = { ...entries, later: { ...entries.later, subject: 'ci' } };
  expect(await asked(`Bearer ${later.token}`)).toMatchObject({ tokenId: 'token/later', holder: 'token:ci' });
  tokens = { ci: entries.ci };
  await expect(asked(`Bearer ${later.token}`)).rejects.toMatchObject({ status: 401 });
});
