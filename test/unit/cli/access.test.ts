import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, findPlace } from '../../../cli/access';
import type { PlaceFlags } from '../../../cli/access-options';
import { holdSettings } from '../../../cli/settings';
import type { Settings } from '../../../cli/settings';
import { warn } from '../../../cli/warn';
import { endless } from '../../support/answering';

jest.mock('../../../cli/warn');

const HOST = 'https://leasehold.test';
const OTHER = 'https://other.test:8443/below';
const variables = process.env;

let directory: string;
let asked: { readonly url: string; readonly authorization: string | null }[];
let warned: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  process.env = { LEASEHOLD_SETTINGS: join(directory, 'settings.json') };
  asked = [];
  warned = '';
  jest.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    asked.push({ url: input as string, authorization: new Headers(init?.headers).get('authorization') });
    const me = { token_id: 'token/ci', holder: 'token:ci', rights: ['lease'], scopes: ['only/one'], expires_at: null };
    return new Response(JSON.stringify(me));
  });
  jest.mocked(warn).mockImplementation((sentence) => {
    warned += `${sentence}\n`;
  });
});

afterEach(async () => {
  jest.restoreAllMocks();
  process.env = variables;
  await rm(directory, { recursive: true, force: true });
});

async function store(settings: Partial<Settings>): Promise<void> {
  await holdSettings(({ save }) => save({ sign_ins: {}, ...settings }));
}

const keep = (token: string, scope?: string): Settings['sign_ins'][string] => ({
  kind: 'token',
  token,
  expires_at: null,
  ...(scope === undefined ? {} : { scope }),
});

async function written(name: string, text: string): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, text);
  return file;
}

/** Which API is asked, and as whom. */
async function asWhom(flags: PlaceFlags = {}): Promise<string> {
  await (await connect(flags)).whoami();
  const { url, authorization } = asked.at(-1)!;
  return `${String(authorization)} ${url.replace('/v1/whoami', '')}`;
}

async function messageOf(failure: Promise<unknown>): Promise<string> {
  return failure.then(
    () => 'nothing failed',
    (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
  );
}

describe('who asks', () => {
  test('is the flag’s file, then LEASEHOLD_TOKEN, then LEASEHOLD_TOKEN_FILE, then the sign-in', async () => {
    await store({ host: HOST, sign_ins: { [HOST]: keep('stored') } });
    expect(await asWhom()).toBe(`Bearer stored ${HOST}`);
    process.env['LEASEHOLD_TOKEN_FILE'] = await written('named', 'file-of-variable\n');
    expect(await asWhom()).toBe(`Bearer file-of-variable ${HOST}`);
    process.env['LEASEHOLD_TOKEN'] = 'variable';
    expect(await asWhom()).toBe(`Bearer variable ${HOST}`);
    expect(await asWhom({ tokenFile: await written('flag', ' file-of-flag \r\n') })).toBe(
      `Bearer file-of-flag ${HOST}`,
    );
  });

  test('is read from its file for each request', async () => {
    const tokenFile = await written('token', 'first');
    const leases = await connect({ host: HOST, tokenFile });
    await leases.whoami();
    await writeFile(tokenFile, 'second');
    await leases.whoami();
    expect(asked.map(({ authorization }) => authorization)).toEqual(['Bearer first', 'Bearer second']);
  });

  test('is nobody without a sign-in at that very host', async () => {
    await store({ host: HOST, sign_ins: { [HOST]: keep('canary') } });
    for (const host of ['http://leasehold.test', `${HOST}:8443`, `${HOST}/below`, `${HOST}.evil.test`, OTHER]) {
      expect(await messageOf(connect({ host }))).toMatch(
        /^AuthError: .*you are not signed in at .*leasehold login --host/,
      );
      process.env['LEASEHOLD_HOST'] = host;
      expect(await messageOf(connect({}))).toMatch(/^AuthError/);
    }
    expect(asked).toEqual([]);
    for (const host of [`${HOST}/`, `${HOST}:443`, 'HTTPS://LEASEHOLD.TEST']) {
      expect(await asWhom({ host })).toBe(`Bearer canary ${HOST}`);
    }
  });

  test('is read from a pipe once, for requests that go out together too', async () => {
    const tokenFile = join(directory, 'pipe');
    execFileSync('mkfifo', [tokenFile]);
    const leases = await connect({ host: HOST, tokenFile });
    const all = [leases.whoami(), leases.whoami()];
    await writeFile(tokenFile, 'piped\n');
    await Promise.all(all);
    await leases.whoami();
    expect(asked.map(({ authorization }) => authorization)).toEqual(Array(3).fill('Bearer piped'));
  });

  test.each<[string, () => Promise<string> | string, string]>([
    ['that is not there', () => join(directory, 'nothing'), 'is not there'],
    ['that is a directory', () => directory, 'cannot be read (EISDIR)'],
    ['that is empty', () => written('token', '\n'), 'holds no token'],
    ['with more than a token', () => written('token', 'one\ntwo'), 'holds no token'],
  ])('is nobody with a file %s', async (_, file, sentence) => {
    process.env = { ...process.env, LEASEHOLD_HOST: HOST, LEASEHOLD_TOKEN_FILE: await file() };
    const failure = await messageOf(asWhom());
    expect(failure).toMatch(/^LeaseError: LEASEHOLD_TOKEN_FILE: /);
    expect(failure).toContain(sentence);
    expect(asked).toEqual([]);
  });

  test('is nobody with a sign-in whose time is over', async () => {
    const signIn = { ...keep('canary'), expires_at: '2020-01-31T00:00:00Z' };
    await store({ host: HOST, sign_ins: { [HOST]: signIn } });
    expect(await messageOf(asWhom())).toBe(
      `LeaseError: Your sign-in at ${HOST} ended at 2020-01-31T00:00:00Z. Sign in again: leasehold login --host ${HOST}`,
    );
    expect(asked).toEqual([]);
    const leases = await connect({});
    await store({ host: HOST, sign_ins: { [HOST]: keep('next') } });
    await leases.whoami();
    expect(asked).toEqual([{ url: `${HOST}/v1/whoami`, authorization: 'Bearer next' }]);
  });
});

describe('who is not known', () => {
  const refuse = (body: unknown): void => {
    jest.mocked(globalThis.fetch).mockImplementation(async () => new Response(JSON.stringify(body), { status: 401 }));
  };
  const unknown = { success: false, messages: ['Send one as canary.'], code: 'unauthenticated', request_id: '' };

  test('is told which token it was, and what to do', async () => {
    refuse(unknown);
    await store({ host: HOST, sign_ins: { [HOST]: keep('stored') } });
    const why = `not valid at ${HOST}: it is not known there, or its time is over.`;
    expect(await messageOf(asWhom())).toBe(
      `LeaseError: Your sign-in is ${why} Sign in again: leasehold login --host ${HOST}, or set LEASEHOLD_TOKEN.`,
    );
    const tokenFile = await written('flag', 'of-file');
    expect(await messageOf(asWhom({ tokenFile }))).toBe(
      `LeaseError: The token in ${tokenFile} (--token-file) is ${why} Put another one there, or sign in: leasehold login --host ${HOST}`,
    );
    process.env['LEASEHOLD_TOKEN'] = 'variable';
    expect(await messageOf(asWhom())).toBe(
      `LeaseError: LEASEHOLD_TOKEN is ${why} Set another one, or unset it and sign in: leasehold login --host ${HOST}`,
    );
  });

  test('by an answer that does not end is not read to its end', async () => {
    const { response, sent } = endless(401);
    jest.mocked(globalThis.fetch).mockResolvedValue(response);
    process.env = { ...process.env, LEASEHOLD_HOST: HOST, LEASEHOLD_TOKEN: 'variable' };
    expect(await messageOf(asWhom())).toBe(
      `LeaseError: The answer of the Leasehold API at ${HOST} is larger than any that it gives.`,
    );
    expect(sent()).toBeLessThan(12);
  });

  test('to what stands between is not told so', async () => {
    refuse({ error: 'the proxy wants a password' });
    process.env = { ...process.env, LEASEHOLD_HOST: HOST, LEASEHOLD_TOKEN: 'variable' };
    expect(await messageOf(asWhom())).toContain(`${HOST} answered with status 401`);
  });
});

describe('the host', () => {
  test('is the flag’s, then that of LEASEHOLD_HOST, then where one has signed in last', async () => {
    process.env['LEASEHOLD_TOKEN'] = 'token';
    expect(await messageOf(connect({}))).toMatch(/^UsageError: LEASEHOLD_HOST is missing: .*leasehold login/);
    await store({ host: HOST });
    expect(await asWhom()).toBe(`Bearer token ${HOST}`);
    process.env['LEASEHOLD_HOST'] = OTHER;
    expect(await asWhom()).toBe(`Bearer token ${OTHER}`);
    expect(await asWhom({ host: 'https://flag.test' })).toBe('Bearer token https://flag.test');
  });

  test.each([
    ['nowhere', 'LEASEHOLD_HOST must be the address'],
    ['https://user:canary@leasehold.test', 'LEASEHOLD_HOST must be the address'],
  ])('cannot be %s', async (host, sentence) => {
    process.env = { ...process.env, LEASEHOLD_HOST: host, LEASEHOLD_TOKEN: 'token' };
    const message = await messageOf(connect({}));
    expect(message).toContain(sentence);
    expect(message).not.toContain('canary');
    expect(await messageOf(connect({ host }))).toContain('--host must be the address');
  });

  test.each([
    [HOST, 0],
    ['http://127.0.0.1:8400', 0],
    ['http://localhost', 0],
    ['http://[::1]:1', 0],
    ['http://leasehold.test', 1],
    ['http://localhost.evil.test', 1],
  ])('%s is warned of %i times', async (host, times) => {
    process.env['LEASEHOLD_TOKEN'] = 'canary';
    const leases = await connect({ host });
    await leases.whoami();
    await leases.whoami();
    expect(warned.match(/^http:\S+ is plain HTTP/gm) ?? []).toHaveLength(times);
    expect(warned).not.toContain('canary');
  });
});

describe('the config', () => {
  async function place(flags: PlaceFlags = {}): Promise<string> {
    const { project, config } = await findPlace(await connect(flags), flags);
    return `${project}/${config}`;
  }

  test('is the flags’, then that of LEASEHOLD_SCOPE, then the sign-in’s, then the only one of the token', async () => {
    await store({ host: HOST, sign_ins: { [HOST]: keep('token'), [OTHER]: keep('token', 'b/other') } });
    expect(await place()).toBe('only/one');
    await store({ host: HOST, sign_ins: { [HOST]: keep('token', 'a/stored'), [OTHER]: keep('token', 'b/other') } });
    expect(await place()).toBe('a/stored');
    expect(await place({ host: OTHER })).toBe('b/other');
    process.env['LEASEHOLD_SCOPE'] = 'c/variable';
    expect(await place()).toBe('c/variable');
    expect(await place({ config: 'flag' })).toBe('c/flag');
    expect(await place({ project: 'd', config: 'flag' })).toBe('d/flag');
  });

  test('is not that of a sign-in when another token asks', async () => {
    await store({ host: HOST, sign_ins: { [HOST]: keep('token', 'a/stored') } });
    process.env['LEASEHOLD_TOKEN'] = 'another';
    expect(await place()).toBe('only/one');
    expect(await place({ tokenFile: await written('flag', 'another') })).toBe('only/one');
  });

  test.each(['backend', '/prd', 'backend/', 'a/b/c'])('cannot be %s', async (scope) => {
    process.env = { ...process.env, LEASEHOLD_HOST: HOST, LEASEHOLD_TOKEN: 'token', LEASEHOLD_SCOPE: scope };
    expect(await messageOf(place())).toBe('UsageError: LEASEHOLD_SCOPE must be project/config, e.g. backend/prd.');
  });
});

test('what is named in full needs no settings, however broken they are', async () => {
  await written('settings.json', 'broken');
  process.env = { ...process.env, LEASEHOLD_HOST: HOST, LEASEHOLD_TOKEN: 'token' };
  expect(await findPlace(await connect({}), {})).toEqual({ project: 'only', config: 'one' });
  process.env = { ...process.env, LEASEHOLD_HOST: HOST, LEASEHOLD_TOKEN: 'token', LEASEHOLD_SCOPE: 'backend/prd' };
  expect(await findPlace(await connect({}), {})).toEqual({ project: 'backend', config: 'prd' });
});
