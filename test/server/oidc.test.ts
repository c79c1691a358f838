import { createPublicKey } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { exportSPKI, importJWK, SignJWT } from 'jose';
import type { CryptoKey } from 'jose';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { openIssuer } from '../support/issuer';
import type { Answer, Issuer } from '../support/issuer';

const GITHUB = {
  sub: 'repo:example/backend:ref:refs/heads/main',
  repository: 'example/backend',
  repository_owner: 'example',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  run_attempt: '1',
};
const POD = {
  sub: 'system:serviceaccount:backend:api',
  'kubernetes.io': {
    namespace: 'backend',
    node: { name: 'node-1' },
    pod: { name: 'api-5d8f' },
    serviceaccount: { name: 'api', uid: '2f8a' },
  },
};
const REQUEST = { project: 'backend', config: 'prd', dynamic_secret: 'TOKEN', ttl: '10m' };
const NOBODY = 'No valid token was sent.';

let github: Issuer;
let cluster: Issuer;
/** Says what its test wants it to say. */
let moody: Issuer;
let lab: ApiLab;

beforeAll(async () => {
  [github, cluster, moody] = await Promise.all([openIssuer(), openIssuer('leasehold-api'), openIssuer()]);
  lab = await openApiLab({
    oidc: {
      github: {
        issuer: github.url,
        audience: github.audience,
        rules: [
          { claims: { repository: 'example/backend', ref: 'refs/heads/release' }, scopes: ['*'], rights: ['admin'] },
          { claims: { repository: 'example/*', ref: ['refs/heads/main', 'refs/tags/v*'] }, scopes: ['backend/prd'] },
          { claims: { repository: 'example/docs' }, scopes: ['backend/prd'], rights: ['read'] },
          { claims: { repository: 'example/bot' }, subject: 'actor', scopes: ['backend/prd'] },
        ],
      },
      cluster: {
        issuer: cluster.url,
        audience: [cluster.audience, 'other'],
        jwks_uri: `${cluster.url}/keys`,
        rules: [
          {
            claims: { '/kubernetes.io/namespace': 'backend', '/kubernetes.io/serviceaccount/name': ['api', 'jobs'] },
            scopes: ['backend/*'],
          },
        ],
      },
      moody: {
        issuer: moody.url,
        audience: moody.audience,
        rules: [{ claims: { repository: 'example/backend' }, scopes: ['backend/prd'] }],
      },
    },
  });
}, 60_000);

afterAll(async () => {
  await lab.close();
  await Promise.all([github.close(), cluster.close(), moody.close()]);
});

interface Told {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function call(token: string, path: string, body?: unknown): Promise<Told> {
  const answer = await fetch(`${lab.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Told['body'] };
}

const issue = (token: string): Promise<Told> => call(token, '/v1/leases', REQUEST);

/** That nobody is let in, and that nothing comes of it. */
async function expectRefused(token: string): Promise<void> {
  const made = lab.provider.calls.provision;
  const { status, body } = await issue(token);
  expect({ status, code: body['code'], messages: body['messages'] }).toEqual({
    status: 401,
    code: 'unauthenticated',
    messages: [expect.stringContaining(NOBODY)],
  });
  expect(lab.provider.calls.provision).toBe(made);
  expect(lab.apiLogs()).not.toContain(token);
  expect(JSON.stringify(lab.audit)).not.toContain(token);
}

/** Not by Date.now, which a test sets. */
const now = (): number => Math.floor(new Date().getTime() / 1_000);

describe('a token of an issuer', () => {
  test.each<[string, () => Promise<string>, string]>([
    ['GitHub Actions', () => github.sign(GITHUB), 'github:repo:example/backend:ref:refs/heads/main'],
    ['a Kubernetes service account', () => cluster.sign(POD), 'cluster:system:serviceaccount:backend:api'],
  ])('of %s leases and revokes, and the lease belongs to its subject', async (_, sign, holder) => {
    const token = await sign();
    const issued = await issue(token);
    expect(issued).toMatchObject({ status: 201, body: { credential: { TOKEN: expect.any(String) } } });
    const leaseId = String(issued.body['lease_id']);
    expect(lab.provider.of(leaseId)).toHaveLength(1);
    expect(await call(token, `/v1/leases/${leaseId}`)).toMatchObject({ status: 200, body: { holder } });
    expect(lab.audit).toContainEqual(
      expect.objectContaining({
        event: 'delivered',
        leaseId,
        holder,
        details: expect.objectContaining({ tokenId: `oidc/${holder.split(':')[0]!}` }),
      }),
    );
    // Another token of the same subject, as issuers give out a fresh one each time, but nobody else's.
    const other = await github.sign({ ...GITHUB, sub: 'repo:example/backend:ref:refs/tags/v1', ref: 'refs/tags/v1' });
    expect(await call(other, `/v1/leases/${leaseId}/revoke`, {})).toMatchObject({ status: 404 });
    expect(lab.provider.of(leaseId)).toHaveLength(1);
    const revoked = await call(await sign(), `/v1/leases/${leaseId}/revoke`, { wait: '20s' });
    expect(revoked).toMatchObject({ status: 200, body: { state: 'revoked', ended_by: holder } });
    expect(lab.provider.of(leaseId)).toEqual([]);
  });

  test('may do what the first rule that it matches says, and no more', async () => {
    expect(await issue(await github.sign({ ...GITHUB, repository: 'example/docs', ref: 'refs/heads/dev' }))).toEqual({
      status: 403,
      body: expect.objectContaining({ code: 'forbidden' }),
    });
    const { body } = await call(await github.sign({ ...GITHUB, ref: 'refs/heads/release' }), '/v1/whoami');
    expect(body['rights']).toEqual(expect.arrayContaining(['admin']));
    expect(await call(await cluster.sign(POD), '/v1/whoami')).toMatchObject({
      body: { holder: 'cluster:system:serviceaccount:backend:api' },
    });
  });

  test('names its holder by another claim where the rule says so, and nobody without it', async () => {
    const claims = { ...GITHUB, repository: 'example/bot', ref: 'refs/heads/dev' };
    expect(await call(await github.sign({ ...claims, actor: 'octo' }), '/v1/whoami')).toMatchObject({
      body: { holder: 'github:octo' },
    });
    for (const actor of [undefined, '', ' ', 5, ['octo'], { name: 'octo' }, 'a\nb', 'a\u202eb']) {
      await expectRefused(await github.sign({ ...claims, actor }));
    }
  });

  test('is taken as Basic too, and by its issuer alone', async () => {
    const token = await github.sign(GITHUB);
    const authorization = `Basic ${Buffer.from(`${token}:`).toString('base64')}`;
    expect((await fetch(`${lab.url}/v1/whoami`, { headers: { authorization } })).status).toBe(200);
  });

  test('is honoured within half a minute of a clock that goes wrong', async () => {
    for (const claims of [{ exp: now() - 10 }, { nbf: now() + 10 }, { iat: now() + 10 }]) {
      expect((await call(await github.sign({ ...GITHUB, ...claims }), '/v1/whoami')).status).toBe(200);
    }
  });
});

describe('refused, with nothing made at the provider, is', () => {
  const signed = (claims: Readonly<Record<string, unknown>>, header?: Record<string, unknown>) => () =>
    github.sign({ ...GITHUB, ...claims }, header);

  test.each<[string, () => Promise<string>]>([
    ['a token for another audience', signed({ aud: 'another' })],
    ['a token for audiences among which we are not', signed({ aud: ['another', 'leaseholder'] })],
    ['a token without audience', signed({ aud: undefined })],
    ['an expired token', signed({ exp: now() - 60 })],
    ['a token without expiry', signed({ exp: undefined })],
    ['a token whose expiry is no number', signed({ exp: 'never' })],
    ['a token that is not valid yet', signed({ nbf: now() + 300 })],
    ['a token of the future', signed({ iat: now() + 300 })],
    ['a token without the time of its making', signed({ iat: undefined })],
    ['a token that was made days ago', signed({ iat: now() - 3 * 86_400, exp: now() + 86_400 })],
    ['a token of a key that the issuer has not', signed({}, { kid: 'key-0' })],
    ['a token whose header demands what nobody knows', signed({}, { crit: ['of-nobody'], 'of-nobody': 1 })],
    ['a token of a repository that no rule names', signed({ repository: 'evil/backend' })],
    ['a token of a repository whose name only begins so', signed({ repository: 'example/backend/x' })],
    ['a token of a branch that no rule names', signed({ ref: 'refs/heads/main/x' })],
    ['a token without the claim that a rule needs', signed({ repository: undefined })],
    ['a token whose claim is of another kind', signed({ repository: { name: 'example/backend' } })],
    ['a token of another issuer', signed({ iss: 'https://evil.example' })],
    ['a token of another configured issuer', async () => github.sign({ ...GITHUB, iss: cluster.url })],
    [
      'a token of an issuer written a little differently',
      async () => github.sign({ ...GITHUB, iss: `${github.url}/` }),
    ],
    ['a token of one issuer in the name of the other', async () => github.sign({ ...POD, iss: cluster.url })],
    ['a pod of another namespace', () => cluster.sign({ ...POD, 'kubernetes.io': { namespace: 'other' } })],
    ['a pod without its claims', () => cluster.sign({ sub: POD.sub, 'kubernetes.io/namespace': 'backend' })],
  ])('%s', async (_, sign) => {
    await expectRefused(await sign());
  });

  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const part = async (index: number): Promise<string> => (await github.sign(GITHUB)).split('.')[index]!;

  test.each<[string, () => Promise<string>]>([
    ['a token that is not signed', async () => `${encode({ alg: 'none' })}.${await part(1)}.`],
    ['a token that is not signed, in other letters', async () => `${encode({ alg: 'nOnE' })}.${await part(1)}.`],
    ['a token without its signature', async () => `${await part(0)}.${await part(1)}.`],
    [
      'a token whose claims were changed',
      async () => {
        const [head, claims, signature] = (await github.sign({ ...GITHUB, repository: 'evil/x' })).split('.');
        const changed = { ...(JSON.parse(Buffer.from(claims!, 'base64url').toString()) as object), ...GITHUB };
        return `${head!}.${encode(changed)}.${signature!}`;
      },
    ],
    [
      'a token with the signature of another one',
      async () => `${await part(0)}.${await part(1)}.${(await github.sign({ ...GITHUB, jti: '2' })).split('.')[2]!}`,
    ],
    ['a token of five parts', async () => `${await github.sign(GITHUB)}.x.y`],
  ])('%s', async (_, make) => {
    await expectRefused(await make());
  });

  test.each<[string, () => Promise<Uint8Array>]>([
    ['as PEM', async () => Buffer.from(await exportSPKI((await importJWK(github.publicKey(), 'RS256')) as CryptoKey))],
    [
      'as DER',
      async () =>
        createPublicKey({ key: { ...github.publicKey() }, format: 'jwk' }).export({
          type: 'spki',
          format: 'der',
        }),
    ],
    ['as JSON', async () => Buffer.from(JSON.stringify(github.publicKey()))],
  ])('a token signed with the public key, %s, as if it were a shared one', async (_, key) => {
    const claims = { ...GITHUB, iss: github.url, aud: github.audience, iat: now(), exp: now() + 600 };
    const { kid } = github.publicKey();
    await expectRefused(await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: kid! }).sign(await key()));
  });

  test('a token whose issuer has left the configuration', async () => {
    const token = await github.sign(GITHUB);
    lab.reconfigure({});
    try {
      expect((await call(token, '/v1/whoami')).status).toBe(200);
      lab.reconfigure({ file: { access: { tokens: {} } } });
      await expectRefused(token);
    } finally {
      lab.reconfigure({});
    }
  });

  test('with a reason in the log of the server, at the level debug', async () => {
    await expectRefused(await github.sign({ ...GITHUB, exp: now() - 60 }));
    await expectRefused(await github.sign({ ...GITHUB, repository: 'evil/backend', sub: 'repo:evil/backend' }));
    const lines = lab.apiLogs().trimEnd().split('\n');
    const refusals = lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => line['reason']);
    expect(refusals.at(-2)).toMatchObject({ level: 'debug', issuer: 'github', reason: expect.stringContaining('exp') });
    expect(refusals.at(-1)).toMatchObject({ reason: 'It matches no rule.', sub: 'repo:evil/backend' });
  });
});

describe('an issuer', () => {
  let clock: jest.SpyInstance<number, []> | undefined;

  afterEach(() => {
    clock?.mockRestore();
    clock = undefined;
    moody.answer = null;
  });

  /** Time passes, for what is kept of issuers alone. */
  function later(ms: number): void {
    clock?.mockRestore();
    const real = Date.now.bind(Date);
    clock = jest.spyOn(Date, 'now').mockImplementation(() => real() + ms);
  }

  const whoami = async (): Promise<Told> => call(await moody.sign(GITHUB), '/v1/whoami');
  const UNAVAILABLE = { status: 502, body: expect.objectContaining({ code: 'unavailable' }) };

  /** Has the API know nothing of issuers' keys. */
  async function forget(): Promise<void> {
    lab.reconfigure({ file: { access: { tokens: {} } } });
    await whoami();
    lab.reconfigure({});
  }

  test('is asked for its keys once, not at each request, and not for what it cannot have issued', async () => {
    const asked = moody.asked.length;
    for (const text of ['x', 'a.b.c', await github.sign(GITHUB), lab.tokens['ci']!]) await call(text, '/v1/whoami');
    await call(`${Buffer.from('{"alg":"none"}').toString('base64url')}.x.`, '/v1/whoami');
    expect(moody.asked.slice(asked)).toEqual([]);
    await Promise.all([whoami(), whoami(), whoami()]);
    await whoami();
    expect(moody.asked.slice(asked)).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  test('may change its key', async () => {
    expect((await whoami()).status).toBe(200);
    const old = await moody.sign(GITHUB);
    await moody.rotate();
    // Tokens that name unknown keys cannot have it asked all the time.
    expect((await whoami()).status).toBe(401);
    later(11_000);
    expect((await whoami()).status).toBe(200);
    expect((await call(old, '/v1/whoami')).status).toBe(401);
  });

  test('that is out is told as that to its own callers, and to nobody else', async () => {
    expect((await whoami()).status).toBe(200);
    moody.answer = status(503);
    // Its keys are known for a while.
    expect((await whoami()).status).toBe(200);
    later(11 * 60_000);
    const made = lab.provider.calls.provision;
    expect(await issue(await moody.sign(GITHUB))).toEqual({
      status: 502,
      body: expect.objectContaining({
        success: false,
        code: 'unavailable',
        messages: ['The keys of the OIDC issuer moody cannot be fetched. Try again.'],
      }),
    });
    expect(lab.provider.calls.provision).toBe(made);
    expect(lab.apiLogs()).toContain('It answered with status 503.');
    expect((await call(lab.tokens['ci']!, '/v1/whoami')).status).toBe(200);
    expect((await call(await github.sign(GITHUB), '/v1/whoami')).status).toBe(200);
    moody.answer = null;
    later(12 * 60_000);
    expect((await whoami()).status).toBe(200);
  });

  test.each<[string, Answer, string]>([
    ['more than keys can be', flood('/keys'), 'It answered with more than 512 KiB.'],
    ['a discovery document without end', flood('/.well-known/openid-configuration'), 'more than 512 KiB'],
    ['a redirect', redirect('/keys'), 'redirects are not followed'],
    ['a redirect of the discovery', redirect('/.well-known/openid-configuration'), 'redirects are not followed'],
    ['a discovery document of another issuer', discovery({ issuer: 'https://evil.example' }), 'of another issuer'],
    ['a discovery document without an issuer', discovery({ issuer: undefined }), 'of another issuer'],
    ['a discovery document of another name', discovery({ issuer: () => `${moody.url}/` }), 'of another issuer'],
    ['keys at an unsafe place', discovery({ jwks_uri: 'http://keys.example/' }), 'names no https:// URL'],
    ['keys in a file', discovery({ jwks_uri: 'file:///etc/passwd' }), 'names no https:// URL'],
    ['no keys', discovery({ jwks_uri: undefined }), 'names no https:// URL'],
    ['HTML', text('/keys', '<html>'), 'is no set of keys'],
    ['a discovery document that is null', text('/.well-known/openid-configuration', 'null'), 'of another issuer'],
    ['JSON that is no set of keys', text('/keys', '{"keys":"none"}'), 'is no set of keys'],
    ['not found', status(404), 'It answered with status 404.'],
    ['nothing, and hangs up', hangUp, 'It cannot be reached'],
  ])('that answers %s lets nobody in, and everybody once it has come to itself', async (_, answer, why) => {
    await forget();
    moody.answer = answer;
    const logged = lab.apiLogs().length;
    expect(await whoami()).toEqual(UNAVAILABLE);
    expect(lab.apiLogs().slice(logged)).toContain(why);
    expect(lab.apiLogs().slice(logged)).not.toContain('evil');
    expect((await call(lab.tokens['ci']!, '/v1/whoami')).status).toBe(200);
    // Until then it is not asked at each request.
    const asked = moody.asked.length;
    expect(await whoami()).toEqual(UNAVAILABLE);
    expect(moody.asked.length).toBe(asked);
    moody.answer = null;
    later(2_000);
    expect((await whoami()).status).toBe(200);
  });

  test('that never ends its answer is waited for three seconds', async () => {
    await forget();
    const open: ServerResponse[] = [];
    moody.answer = (_, response) => {
      response.write('{');
      open.push(response);
      return true;
    };
    expect(await whoami()).toEqual(UNAVAILABLE);
    expect(lab.apiLogs()).toContain('It did not answer within 3 s.');
    for (const response of open) response.destroy();
  });

  function discovery(change: Readonly<Record<string, unknown>>): Answer {
    return ({ url }, response) => {
      if (url !== '/.well-known/openid-configuration') return false;
      const document = { issuer: moody.url, jwks_uri: `${moody.url}/keys`, ...change };
      response.end(
        JSON.stringify(document, (_, value: unknown) =>
          typeof value === 'function' ? (value as () => unknown)() : value,
        ),
      );
      return true;
    };
  }

  function redirect(path: string): Answer {
    return ({ url }, response) => {
      if (url !== path) return false;
      response.writeHead(302, { location: `${moody.url}/elsewhere` }).end();
      return true;
    };
  }

  function flood(path: string): Answer {
    return ({ url }, response) => {
      if (url !== path) return false;
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(64 * 1024)));
      };
      response.on('drain', more);
      more();
      return true;
    };
  }

  function text(path: string, said: string): Answer {
    return ({ url }, response) => {
      if (url !== path) return false;
      response.end(said);
      return true;
    };
  }
});

test('holders of one issuer do not use up each other’s requests', async () => {
  const rules = [{ claims: { repository: 'example/backend' }, scopes: ['backend/prd'] }];
  const busy = await openApiLab({
    requestsPerMinute: 2,
    oidc: { github: { issuer: github.url, audience: github.audience, rules } },
  });
  try {
    const ask = async (sub: string): Promise<number> => {
      const authorization = `Bearer ${await github.sign({ ...GITHUB, sub })}`;
      return (await fetch(`${busy.url}/v1/whoami`, { headers: { authorization } })).status;
    };
    expect([await ask('one'), await ask('one'), await ask('one'), await ask('two')]).toEqual([200, 200, 429, 200]);
  } finally {
    await busy.close();
  }
}, 60_000);

function status(code: number): Answer {
  return (_, response) => {
    response.writeHead(code).end('{}');
    return true;
  };
}

function hangUp(_: unknown, response: ServerResponse): boolean {
  response.destroy();
  return true;
}
