import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { openIssuer } from '../support/issuer';
import type { Issuer } from '../support/issuer';
import { provided } from '../support/stack';

const CLAIMS = { sub: 'repo:example/backend:ref:refs/heads/main', repository: 'example/backend' };

let github: Issuer;
let other: Issuer;
let lab: ApiLab;
let home: string;

beforeAll(async () => {
  [github, other] = await Promise.all([openIssuer(), openIssuer()]);
  const rules = [{ claims: { repository: 'example/backend' }, scopes: ['backend/prd'] }];
  lab = await openApiLab({
    oidc: {
      github: { issuer: github.url, audience: github.audience, rules },
      other: { issuer: other.url, audience: other.audience, rules },
    },
  });
  home = mkdtempSync(join(tmpdir(), 'leasehold-doppler-'));
}, 60_000);

afterAll(async () => {
  rmSync(home, { recursive: true });
  await lab.close();
  await Promise.all([github.close(), other.close()]);
});

async function post(path: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${lab.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const login = (identity: unknown, token: unknown) => post('/v3/auth/oidc', { identity, token });

describe('logging in with the token of an issuer', () => {
  test('answers the token itself, with its end', async () => {
    const exp = Math.floor(Date.now() / 1_000) + 300;
    const token = await github.sign({ ...CLAIMS, exp });
    expect(await login('github', token)).toEqual({
      status: 200,
      body: { success: true, token, expires_at: new Date(exp * 1_000).toISOString(), dashboard_url: lab.url },
    });
    expect(lab.apiLogs()).not.toContain(token);
  });

  test('is refused for another issuer, for none and for a token that is not valid, clearly and without a trace of it', async () => {
    const token = await github.sign(CLAIMS);
    const expired = await github.sign({ ...CLAIMS, exp: 1 });
    const refusals: [unknown, unknown, number, RegExp][] = [
      ['other', token, 401, /^The token is none of the OIDC issuer other\.$/],
      ['github', lab.tokens['ci'], 401, /none of the OIDC issuer github/],
      ['github', expired, 401, /^No valid token was sent\./],
      ['github', await github.sign({ ...CLAIMS, repository: 'evil/x' }), 401, /^No valid token was sent\./],
      ['github', 'junk', 401, /^No valid token was sent\./],
      ['github', '', 401, /^No valid token was sent\./],
      ['gitlab', token, 404, /alias of an OIDC issuer/],
      ['constructor', token, 404, /alias of an OIDC issuer/],
      ['github', 5, 400, /token/],
      [undefined, token, 400, /identity/],
    ];
    for (const [identity, text, status, sentence] of refusals) {
      const answer = await login(identity, text);
      expect(answer).toMatchObject({ status, body: { success: false, messages: [expect.stringMatching(sentence)] } });
      expect(JSON.stringify(answer)).not.toContain(token);
    }
    expect(lab.apiLogs()).not.toContain(token);
    expect(lab.audit).toContainEqual(
      expect.objectContaining({ event: 'denied', details: expect.objectContaining({ route: 'POST /v3/auth/oidc' }) }),
    );
  });

  test('is told apart from an issuer that is out', async () => {
    other.answer = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    expect(await login('other', await other.sign(CLAIMS))).toMatchObject({
      status: 502,
      body: { code: 'unavailable' },
    });
    other.answer = null;
  });
});

test.each([
  ['/v3/auth/cli/revoke', 405, /^The token is still valid/],
  ['/v3/auth/revoke', 405, /^The token is still valid/],
  ['/v3/auth/cli/roll', 405, /leasehold token create/],
])('%s changes nothing and says so', async (path, status, sentence) => {
  const token = lab.tokens['ci']!;
  const answer = await post(path, { token });
  expect(answer).toMatchObject({ status, body: { code: 'read_only', messages: [expect.stringMatching(sentence)] } });
  expect(JSON.stringify(answer)).not.toContain(token);
});

test('a login by browser is refused with the ways that there are', async () => {
  const answer = await fetch(`${lab.url}/v3/auth/cli/generate/2?hostname=h&version=v3.77.1&os=linux&arch=amd64`);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ messages: [expect.stringContaining('doppler oidc login')] });
});

describe("Doppler's own command line", () => {
  const { doppler } = provided();
  const run = promisify(execFile);

  async function cli(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const env = { HOME: home, PATH: process.env['PATH'], DOPPLER_ENABLE_VERSION_CHECK: 'false' };
    const all = [...args, '--api-host', lab.url, '--no-check-version', '--config-dir', home, '--scope', home];
    try {
      return { code: 0, ...(await run(doppler, all, { env, cwd: home, timeout: 30_000 })) };
    } catch (error) {
      return error as { code: number; stdout: string; stderr: string };
    }
  }

  test('logs in with a token of an issuer, is known by it and logs out', async () => {
    const token = await cli('oidc', 'login', '--identity', 'github', '--token', await github.sign(CLAIMS));
    expect(token).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Authenticated via OIDC, token expires at'),
    });
    const saved = await cli('configure', 'get', 'token', '--plain');
    expect(saved).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ey[^\s]+\n$/) });
    const authorization = `Bearer ${saved.stdout.trim()}`;
    const known = await fetch(`${lab.url}/v1/whoami`, { headers: { authorization } });
    expect(await known.json()).toMatchObject({ holder: `github:${CLAIMS.sub}` });
    const out = await cli('logout', '--yes');
    expect(out).toMatchObject({ code: 0, stdout: expect.stringContaining('The token is still valid') });
    expect((await cli('configure', 'get', 'token', '--plain')).stdout.trim()).toBe('');
  }, 60_000);

  test('tells why it cannot log in', async () => {
    const login = await cli('oidc', 'login', '--identity', 'gitlab', '--token', await github.sign(CLAIMS));
    expect(login).toMatchObject({ code: 1, stderr: expect.stringContaining('alias of an OIDC issuer') });
    const browser = await cli('login', '--yes');
    expect(browser).toMatchObject({ code: 1, stderr: expect.stringContaining('no login by browser') });
  }, 60_000);
});
