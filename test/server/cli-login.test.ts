import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createAuthenticate } from '../../api/identity/authenticate';
import { withLock } from '../../cli/lock';
import { printable } from '../../cli/output/printable';
import { readSettings } from '../../cli/settings';
import type { Settings } from '../../cli/settings';
import { createLogger } from '../../telemetry/logger';
import { callApi } from '../support/api-call';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { openIssuer } from '../support/issuer';
import type { Issuer } from '../support/issuer';
import { eventually, pause } from '../support/lab';
import { openOidcProvider } from '../support/openid-provider';
import type { OidcProvider } from '../support/openid-provider';
import { startProgram } from '../support/program';
import type { Ended, Program } from '../support/program';
import { provided } from '../support/stack';
import { CTRL_C, openTerminal } from '../support/terminal';
import type { Terminal } from '../support/terminal';

const RULES = [{ claims: { sub: 'ada' }, scopes: ['backend/prd'] }];
const PAST = '2020-01-31T00:00:00Z';
/** Prints the credential that was leased for it. */
const USE = ['run', '--project', 'backend', '--config', 'prd', '--', 'printenv', 'TOKEN_LEASE_ID'];

let provider: OidcProvider;
let machines: Issuer;
let lab: ApiLab;
let directory: string;

beforeAll(async () => {
  [provider, machines] = await Promise.all([openOidcProvider(), openIssuer()]);
  lab = await openApiLab({ oidc: { people: people(), machines: ofMachines() } });
}, 60_000);

afterAll(async () => {
  await lab.close();
  await Promise.all([provider.close(), machines.close()]);
});

beforeEach(async () => {
  directory = await mkdtemp(join(provided().directory, 'login-'));
  await provider.set({ id_token_ttl: 600, device_ttl: 600, away: false, ill: false });
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function people(more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const { url: issuer, clientId } = provider;
  return { issuer, audience: clientId, rules: RULES, device_login: { client_id: clientId, ...more } };
}

function ofMachines(more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { issuer: machines.url, audience: machines.audience, rules: RULES, ...more };
}

/** One more API that differs in its issuers. */
async function apiWith(oidc: Readonly<Record<string, unknown>>): Promise<string> {
  const config = lab.parse({ file: { access: { oidc } } });
  const authenticate = createAuthenticate(() => config, createLogger('silent'));
  return (await lab.startApi({ config: () => config, authenticate })).url;
}

interface Start {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
}

function start(args: readonly string[], { environment = {}, input }: Start = {}): Program {
  return startProgram('cli/main.js', args, { environment, directory, ...(input === undefined ? {} : { input }) });
}

const run = (args: readonly string[], options?: Start): Promise<Ended> => start(args, options).ended;

const file = (): string => join(directory, 'leasehold', 'settings.json');

async function stored(): Promise<Settings | null> {
  const text = await readFile(file(), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as Settings);
}

async function oidcSignIn(host = lab.url): Promise<Extract<Settings['sign_ins'][string], { kind: 'oidc' }>> {
  const signIn = (await stored())?.sign_ins[host];
  if (signIn?.kind !== 'oidc') throw new Error('no such sign-in is stored');
  return signIn;
}

/** The code that somebody is asked to enter in a browser. */
async function codeOf(program: Program): Promise<string> {
  const find = (): string | undefined => /enter the code\n {2}(\S+)\n/.exec(program.said())?.[1];
  await eventually(async () => find() !== undefined, 'a code to be shown');
  return find()!;
}

async function signIn(args: readonly string[] = [], account = 'ada'): Promise<Ended> {
  const program = start(['login', '--host', lab.url, ...args]);
  await provider.approve(await codeOf(program), account);
  return program.ended;
}

/** As if time had passed here, and not at the issuer and the API. */
async function makeDue(more: Readonly<{ expires_at?: string }> = {}): Promise<void> {
  const signIn = { ...(await oidcSignIn()), renew_at: PAST, ...more };
  await writeFile(file(), JSON.stringify({ ...(await stored()), sign_ins: { [lab.url]: signIn } }));
}

/** A server that knows nobody, and remembers what it was told. */
async function openElsewhere(): Promise<{ url: string; seen: readonly string[]; close: () => void }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(JSON.stringify([request.url, request.headers]));
    response.writeHead(401).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, seen, close };
}

const EVIL = 'x\x1b[2J\u202e';
const ISSUED = 'canary-issued-token';

/** An API that is its own issuer, and that wants more than it says. */
async function openEvil(
  offer: Readonly<Record<string, unknown>> = {},
  answers: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {},
  address = '127.0.0.1',
): Promise<{ url: string; seen: readonly string[]; close: () => void }> {
  const seen: string[] = [];
  let url = '';
  const answer = (path: string): unknown => {
    const parts: Readonly<Record<string, unknown>> = {
      '/v1/login': {
        issuers: [
          {
            alias: EVIL,
            issuer: url,
            client_id: EVIL,
            scopes: [EVIL],
            token: 'access_token',
            parameters: {},
            ...offer,
          },
        ],
      },
      '/v1/whoami': { token_id: 'x', holder: EVIL, rights: [EVIL], scopes: [EVIL], expires_at: null },
      '/.well-known/openid-configuration': {
        issuer: `${url}/`,
        device_authorization_endpoint: `${url}/device`,
        token_endpoint: `${url}/token`,
      },
      '/device': { device_code: 'x', user_code: 'CODE', verification_uri: `${url}/go`, expires_in: 60, interval: 1 },
      '/token': { access_token: ISSUED, token_type: 'bearer', expires_in: 1e30 },
    };
    return { ...(parts[path] as object | undefined), ...answers[path] };
  };
  const server = createServer((request, response) => {
    seen.push(request.url!);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer(request.url!)));
  }).listen(0, address);
  await once(server, 'listening');
  url = `http://${address}:${String((server.address() as AddressInfo).port)}`;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url, seen, close };
}

/** Of who holds what the memory provider has just made. */
async function holderOf(credential: string): Promise<string> {
  const id = credential.trim().replace('canary-', '');
  const { body } = await callApi('GET', `/v1/leases/${id}`, { url: lab.url, token: lab.tokens['admin'] });
  return (body as unknown as { readonly holder: string }).holder;
}

describe('how people sign in', () => {
  test('is told to everybody, and nothing of issuers where they cannot', async () => {
    const { status, body } = await callApi('GET', '/v1/login', { url: lab.url, token: null });
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        issuers: [
          {
            alias: 'people',
            issuer: provider.url,
            client_id: provider.clientId,
            scopes: ['openid', 'offline_access'],
            token: 'id_token',
            parameters: {},
          },
        ],
      },
    });
    const { body: description } = await callApi('GET', '/v1/openapi.json', { url: lab.url, token: null });
    expect(description.paths['/v1/login']?.['get']).toMatchObject({ security: [] });
  });

  test.each<[string, () => Readonly<Record<string, unknown>>, string[], string]>([
    ['no issuer', () => ({}), [], 'offers no sign-in by a browser'],
    [
      'several',
      () => ({ people: people(), machines: both() }),
      [],
      'name one with --identity. Known: people, machines.',
    ],
    [
      'another one',
      () => ({ people: people() }),
      ['--identity', 'x'],
      'no sign-in by the identity "x". Known: people.',
    ],
  ])('is a matter of usage where there is %s', async (_, oidc, args, sentence) => {
    const { code, stderr } = await run(['login', '--host', await apiWith(oidc()), ...args]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(sentence) });
    expect(await stored()).toBeNull();
  });

  const both = (): Readonly<Record<string, unknown>> => ofMachines({ device_login: { client_id: machines.audience } });
});

describe('who has signed in in a browser', () => {
  test('is who the issuer says, for the commands that follow', async () => {
    const { code, stdout, stderr } = await signIn(['--project', 'backend', '--config', 'prd']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Signed in at ${lab.url} as people:ada (read, lease, revoke-own in backend/prd).\n`,
    });
    expect(stderr).toContain(provider.url);
    expect(await stored()).toEqual({
      host: lab.url,
      sign_ins: {
        [lab.url]: {
          kind: 'oidc',
          identity: 'people',
          issuer: provider.url,
          client_id: provider.clientId,
          presents: 'id_token',
          scope: 'backend/prd',
          token: expect.stringMatching(/^ey/),
          refresh_token: expect.any(String),
          expires_at: expect.any(String),
          renew_at: expect.any(String),
        },
      },
    });
    expect([(await stat(file())).mode & 0o777, (await stat(join(directory, 'leasehold'))).mode & 0o777]).toEqual([
      0o600, 0o700,
    ]);
    const { token, refresh_token: refresh = 'none' } = await oidcSignIn();
    for (const secret of [token, refresh]) expect(stdout + stderr).not.toContain(secret);
    const used = await run(['run', '--', 'printenv', 'TOKEN_LEASE_ID']);
    expect(used).toMatchObject({ code: 0, stderr: '' });
    expect(await holderOf(used.stdout)).toBe('people:ada');
  });

  test('stays so beyond the end of a token, by the latest refresh token', async () => {
    await provider.set({ id_token_ttl: 2 });
    await signIn();
    const before = await oidcSignIn();
    await eventually(async () => Date.now() > Date.parse(before.expires_at), 'the token to end');
    await provider.set({ id_token_ttl: 600 });
    expect(await run(USE)).toMatchObject({ code: 0, stderr: '' });
    const after = await oidcSignIn();
    expect(after.token).not.toBe(before.token);
    expect(after.refresh_token).not.toBe(before.refresh_token);
    await makeDue();
    expect(await run(USE)).toMatchObject({ code: 0, stderr: '' });
  });

  test('is renewed by one of many commands that find the token due at once', async () => {
    await signIn();
    await makeDue();
    const { refreshed, refused } = await provider.counts();
    // None goes on before all of them have found it so.
    const crowd = await withLock(
      `${file()}.lock`,
      () => undefined,
      async () => {
        const programs = Array.from({ length: 4 }, () => start(USE));
        await pause(2_000);
        return programs;
      },
    );
    const used = await Promise.all(crowd.map(({ ended }) => ended));
    for (const { code, stderr } of used) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await provider.counts()).toMatchObject({ refreshed: refreshed + 1, refused });
  });

  test('does not need the issuer while the token is good, and is told when it is needed and away', async () => {
    await signIn();
    await provider.set({ away: true });
    await makeDue();
    expect(await run(USE)).toMatchObject({ code: 0, stderr: '' });
    await makeDue({ expires_at: PAST });
    const before = await stored();
    expect(await run(USE)).toEqual({
      code: 3,
      stdout: '',
      stderr: `leasehold: The issuer ${provider.url} cannot be reached, or does not answer in time. Try again.\n`,
    });
    await provider.set({ away: false, ill: true });
    expect(await run(['whoami'])).toMatchObject({ code: 3, stderr: expect.stringContaining('Try again.') });
    expect(await stored()).toEqual(before);
    await provider.set({ ill: false });
    expect(await run(USE)).toMatchObject({ code: 0, stderr: '' });
  });

  test('does not need the right time: this machine may be ahead by a day', async () => {
    const preload = join(directory, 'clock.cjs');
    await writeFile(preload, 'const now = Date.now; Date.now = () => now() + 24 * 3_600_000;');
    const environment = { NODE_OPTIONS: `--require ${preload}` };
    const program = start(['login', '--host', lab.url], { environment });
    await provider.approve(await codeOf(program), 'ada');
    expect(await program.ended).toMatchObject({ code: 0 });
    await makeDue({ expires_at: PAST });
    const { refreshed } = await provider.counts();
    expect(await run(['whoami'], { environment })).toMatchObject({ code: 0, stderr: '' });
    expect((await provider.counts()).refreshed).toBe(refreshed + 1);
  });

  test('keeps the config of the sign-in before, until another one is named', async () => {
    const input = lab.tokens['ci']!;
    const login = ['login', '--host', lab.url, '--with-token'];
    await run([...login, '--project', 'backend', '--config', 'prd'], { input });
    for (const [args, scope] of [
      [[], 'backend/prd'],
      [['--project', 'backend', '--config', 'dev'], 'backend/dev'],
    ] as const) {
      expect(await run([...login, ...args], { input })).toMatchObject({ code: 0 });
      expect((await stored())?.sign_ins[lab.url]?.scope).toBe(scope);
    }
    for (const args of [
      ['--project', 'a/b', '--config', 'c'],
      ['--project', 'a'],
    ])
      expect(await run([...login, ...args], { input })).toMatchObject({ code: 2 });
  });

  test('is asked to sign in again when the issuer renews no more', async () => {
    await signIn();
    await makeDue({ expires_at: PAST });
    const before = await readFile(file());
    await run(['logout']);
    await writeFile(file(), before);
    const { code, stdout, stderr } = await run(USE);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toContain(`invalid_grant). Sign in again: leasehold login --host ${lab.url}\n`);
  });

  test('signs out: nothing is kept, the issuer renews no more, and how long the token is good is said', async () => {
    await signIn();
    const { expires_at: end } = await oidcSignIn();
    const { revoked } = await provider.counts();
    const { code, stdout } = await run(['logout']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Signed out of ${lab.url}. ${provider.url} renews it no more. Its token is not stored here any more, but whoever has a copy can use it until ${end}.\n`,
    });
    expect(await stored()).toEqual({ host: lab.url, sign_ins: {} });
    expect((await provider.counts()).revoked).toBe(revoked + 1);
    expect((await run(['logout'])).stdout).toContain('not signed in');
    expect(await run(USE)).toMatchObject({ code: 5, stderr: expect.stringContaining('you are not signed in at') });
  });

  test('signs out without the issuer, and is told to end the session there', async () => {
    await signIn();
    await provider.set({ away: true });
    const { code, stdout } = await run(['logout']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('could not be told so: end the session'),
    });
    expect(await stored()).toEqual({ host: lab.url, sign_ins: {} });
  });
});

describe('nothing is stored', () => {
  afterEach(async () => {
    expect(await stored()).toBeNull();
  });

  test('when signing in is denied', async () => {
    const program = start(['login', '--host', lab.url]);
    await provider.deny(await codeOf(program));
    const { code, stdout, stderr } = await program.ended;
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toContain(`Signing in was denied at ${provider.url}. Nothing was stored.\n`);
  });

  test('when nobody signs in while the code is good', async () => {
    await provider.set({ device_ttl: 2 });
    const { code, stderr } = await run(['login', '--host', lab.url]);
    expect({ code, stderr }).toEqual({ code: 6, stderr: expect.stringContaining('Nobody signed in at') });
  });

  test('after Ctrl-C', async () => {
    const program = start(['login', '--host', lab.url]);
    await codeOf(program);
    program.signal('SIGINT');
    const { code, stdout, stderr } = await program.ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toContain('Signing in was called off. Nothing was stored.\n');
  });

  test('when the issuer is away, and a lost question does not end a sign-in that has begun', async () => {
    await provider.set({ away: true });
    expect(await run(['login', '--host', lab.url])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('cannot be reached'),
    });
    await provider.set({ away: false });
    const program = start(['login', '--host', lab.url]);
    const code = await codeOf(program);
    await provider.set({ away: true });
    await pause(1_500);
    await provider.set({ away: false, ill: true });
    await pause(1_500);
    await provider.set({ ill: false });
    await provider.deny(code);
    expect(await program.ended).toMatchObject({ code: 5 });
  });

  test('when the API takes no token of who has signed in, and the issuer forgets him', async () => {
    const { revoked } = await provider.counts();
    const { code, stderr } = await signIn([], 'mallory');
    expect({ code, stderr }).toEqual({ code: 5, stderr: expect.stringContaining('does not take its token') });
    expect((await provider.counts()).revoked).toBe(revoked + 1);
  });

  test('when the issuer gives another kind of token than the API can check', async () => {
    const host = await apiWith({ people: people({ token: 'access_token' }) });
    const program = start(['login', '--host', host]);
    await provider.approve(await codeOf(program), 'ada');
    const { code, stderr } = await program.ended;
    expect({ code, stderr }).toEqual({ code: 5, stderr: expect.stringContaining('no rule of access.oidc.people') });
  });

  test('of a token that the API does not know', async () => {
    const token = `${lab.tokens['ci']!.slice(0, -4)}AAAA`;
    const { code, stdout, stderr } = await run(['login', '--host', lab.url, '--with-token'], { input: `${token}\n` });
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toBe(`${lab.url} does not know this token, or its time is over. Nothing was stored.\n`);
  });

  test('of what is no token', async () => {
    const input = 'two words';
    expect(await run(['login', '--host', lab.url, '--with-token'], { input })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--with-token reads a token from standard input'),
    });
  });
});

describe('a token', () => {
  const keep = (token = lab.tokens['ci']!, args: readonly string[] = []): Promise<Ended> =>
    run(['login', '--host', `${lab.url}/`, '--with-token', ...args], { input: `${token}\n` });

  test('is stored for the host that knows it, and used there', async () => {
    const { code, stdout, stderr } = await keep(undefined, ['--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      host: lab.url,
      holder: 'token:ci',
      rights: ['read', 'lease', 'revoke-own'],
      scopes: ['backend/prd'],
      expires_at: null,
      renews: false,
      scope: null,
    });
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    const used = await run(USE);
    expect(await holderOf(used.stdout)).toBe('token:ci');
  });

  test('of two signed in at once at two hosts none is lost', async () => {
    const { url } = await lab.startApi();
    const input = lab.tokens['ci']!;
    await Promise.all([keep(), run(['login', '--host', url, '--with-token'], { input })]);
    expect(Object.keys((await stored())?.sign_ins ?? {}).sort()).toEqual([lab.url, url].sort());
  });

  test('that is stored is never sent to another host', async () => {
    await keep();
    const { url, seen, close } = await openElsewhere();
    try {
      for (const host of [url, `${lab.url}/below`, lab.url.replace('127.0.0.1', 'localhost')]) {
        for (const [args, environment] of [
          [USE, { LEASEHOLD_HOST: host }],
          [['run', '--host', host, ...USE.slice(1)], {}],
          [['logout', '--host', host], {}],
        ] as const) {
          expect([0, 5]).toContain((await run(args, { environment })).code);
        }
      }
      await run(['login', '--host', url]);
      expect(seen.filter((each) => each.includes('authorization') || each.includes(lab.tokens['ci']!))).toEqual([]);
      expect(seen).toEqual([expect.stringContaining('/v1/login')]);
    } finally {
      close();
    }
    expect(await run(USE)).toMatchObject({ code: 0 });
  });

  test('that others may read, and a broken file, are refused and named', async () => {
    await keep();
    await chmod(file(), 0o644);
    for (const args of [USE, ['login', '--host', lab.url, '--with-token'], ['logout']]) {
      expect(await run(args, { input: lab.tokens['ci']! })).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(
          `${file()} holds tokens, and others than you may read or write it: chmod 600 it, or remove it and sign in again.\n`,
        ),
      });
    }
    await chmod(file(), 0o600);
    await writeFile(file(), '{"sign_ins":');
    expect(await run(USE)).toMatchObject({ code: 2, stderr: expect.stringContaining(`${file()} is no settings file`) });
  });
});

describe('a token that is asked for', () => {
  const CTRL_D = '\x04';

  async function ask(): Promise<Terminal> {
    const main = join(__dirname, '../../dist/cli/main.js');
    const command = [process.execPath, main, 'login', '--host', lab.url, '--with-token'];
    const terminal = await openTerminal(command, { environment: { XDG_CONFIG_HOME: directory }, directory });
    await terminal.until(/it is not shown\): /);
    return terminal;
  }

  test('is not shown in the terminal, and what is pasted beside it is not kept', async () => {
    const terminal = await ask();
    terminal.type(`${lab.tokens['ci']!}\nanother line\n`);
    await terminal.until(/as token:ci/);
    expect(await terminal.ended).toMatchObject({ code: 0 });
    expect(terminal.output()).not.toContain(lab.tokens['ci']!.slice(0, 8));
    expect((await stored())?.sign_ins[lab.url]).toMatchObject({ kind: 'token', token: lab.tokens['ci'] });
  });

  test.each([
    ['Ctrl-C', CTRL_C, 130, /called off. Nothing was stored/],
    ['Ctrl-D', CTRL_D, 2, /what came is none/],
    ['an empty line', '\n', 2, /what came is none/],
  ])('is not one after %s', async (_, key, code, sentence) => {
    const terminal = await ask();
    terminal.type(key);
    await terminal.until(sentence);
    expect(await terminal.ended).toMatchObject({ code });
    expect(await stored()).toBeNull();
  });
});

describe('an API that is not to be trusted', () => {
  test('shows people where they go and for whom, and writes nothing else on their terminal', async () => {
    const { url, close } = await openEvil();
    try {
      const { code, stdout, stderr } = await run(['login', '--host', url]);
      const shown = printable(EVIL);
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: `Signed in at ${url} as ${shown} (${shown} in ${shown}), until ${(await oidcSignIn(url)).expires_at}.\n`,
      });
      expect(stderr).toContain(`as its issuer ${shown} (${url}) knows you, open\n  ${url}/go\n`);
      expect(stderr).toContain(
        `${url} gets the access token, made for client ${shown} with ${shown}.\nGo on only if you trust ${url} with that.\n`,
      );
      const others = await run(['login', '--host', url, '--identity', 'x']);
      for (const text of [stdout, stderr, others.stderr]) expect(text).not.toMatch(/\x1b|\u202e/);
      expect(stdout + stderr).not.toContain(ISSUED);
      // What its issuer said of the end is no longer than can be told.
      expect(Object.keys((await readSettings(file())).sign_ins)).toEqual([url]);
    } finally {
      close();
    }
  });

  test('shows all that the issuer is told beside that, each on a line, and that no scope was asked for', async () => {
    const parameters = { audience: 'https://payments.example.com', resource: `a\n${EVIL}` };
    const { url, close } = await openEvil({ scopes: [], parameters });
    try {
      const { code, stderr } = await run(['login', '--host', url]);
      expect(code).toBe(0);
      expect(stderr).toContain(
        [
          `${url} gets the access token, made for client ${printable(EVIL)} with no scopes.`,
          'The issuer was told as well',
          '  audience=https://payments.example.com',
          `  resource=a\\n${printable(EVIL)}`,
          `Go on only if you trust ${url} with that.\n`,
        ].join('\n'),
      );
      expect(stderr).not.toMatch(/\x1b|\u202e/);
    } finally {
      close();
    }
  });

  test.each(['scope', 'client_id', 'grant_type', 'Scope'])(
    'has the issuer told no other %s than is shown: nothing is asked',
    async (name) => {
      const { begun } = await provider.counts();
      const parameters = { audience: 'a', [name]: 'https://payments.example.com/write' };
      const { url, seen, close } = await openEvil({ issuer: provider.url, client_id: provider.clientId, parameters });
      try {
        const { code, stdout, stderr } = await run(['login', '--host', url]);
        expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
        expect(stderr).toBe(
          `${url} wants its issuer to be told another "${name}" than is shown here. Nothing was asked.\n`,
        );
        expect(seen).toEqual(['/v1/login']);
        expect((await provider.counts()).begun).toBe(begun);
        expect(await stored()).toBeNull();
      } finally {
        close();
      }
    },
  );

  test.each<[string, () => Parameters<typeof openEvil>, readonly string[]]>([
    ['with another name before it', () => [{ issuer: 'https://login.example.com@127.0.0.1:1' }], ['/v1/login']],
    ['that a terminal would not show', () => [{ issuer: `http://127.0.0.1/${EVIL}` }], ['/v1/login']],
    ['that is read on the way', () => [{ issuer: 'http://login.example.com' }], ['/v1/login']],
    ['on this machine, when the API is elsewhere', () => [{ issuer: provider.url }, {}, '127.0.0.2'], ['/v1/login']],
    [
      'that sends us on where it is read on the way',
      () => [{}, { '/.well-known/openid-configuration': { token_endpoint: 'http://login.example.com/token' } }],
      ['/v1/login', '/.well-known/openid-configuration'],
    ],
    [
      'that asks people to go where they would not',
      () => [{}, { '/device': { verification_uri: `https://login.example.com@evil.test/` } }],
      ['/v1/login', '/.well-known/openid-configuration', '/device'],
    ],
    [
      'that never ends',
      () => [{}, { '/.well-known/openid-configuration': { more: 'x'.repeat(2_000_000) } }],
      ['/v1/login', '/.well-known/openid-configuration'],
    ],
  ])('names no issuer %s', async (_, options, asked) => {
    const { begun } = await provider.counts();
    const { url, seen, close } = await openEvil(...options());
    try {
      const { code, stdout, stderr } = await run(['login', '--host', url]);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).not.toMatch(/\x1b|\u202e|enter the code/);
      expect(seen).toEqual(asked);
      expect((await provider.counts()).begun).toBe(begun);
      expect(await stored()).toBeNull();
    } finally {
      close();
    }
  });
});

test('who is not known any more is told so by every command, in words for a command line', async () => {
  const token = `${lab.tokens['ci']!.slice(0, -4)}AAAA`;
  const environment = { LEASEHOLD_HOST: lab.url, LEASEHOLD_TOKEN: token };
  const sentence = `LEASEHOLD_TOKEN is not valid at ${lab.url}: it is not known there, or its time is over. Set another one, or unset it and sign in: leasehold login --host ${lab.url}`;
  for (const args of [['whoami'], ['leases', 'list'], ['lease', 'TOKEN', ...USE.slice(1, 5)], USE, ['secrets']]) {
    const { code, stdout, stderr } = await run(args, { environment });
    expect({ args, code, stdout }).toEqual({ args, code: 5, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr.split('\n').length).toBeLessThanOrEqual(3);
    expect(stderr).not.toContain('Authorization');
    expect(stderr).not.toContain(token);
  }
});
