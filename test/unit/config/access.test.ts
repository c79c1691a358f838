import { errorOf, load, problemsOf } from '../../support/config-text';

const HASH = `sha256:${'0a'.repeat(32)}`;
const OTHER = `sha256:${'0b'.repeat(32)}`;
const SECRET = 'lht.ci.abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst';
const PROJECTS = 'projects: {backend: {configs: {prd: {}, dev: {}}}, empty: {}}';

const access = (settings: string): string => `version: 1\n${PROJECTS}\naccess: {${settings}}`;
const token = (settings: string): string => access(`tokens: {ci: {hash: "${HASH}", ${settings}}}`);
const issuer = (settings: string): string =>
  access(`oidc: {github: {issuer: "https://issuer.example", audience: leasehold, ${settings}}}`);
const rule = (settings: string): string => issuer(`rules: [{${settings}}]`);
const claims = (written: string): string => rule(`claims: {${written}}, scopes: ["*"]`);
const CI = 'access.tokens.ci';
const RULE = 'access.oidc.github.rules[0]';

describe('tokens', () => {
  test('are read with their defaults', () => {
    const { tokens } = load(
      access(`tokens: {
        ci: {hash: "${HASH}", scopes: [backend/prd]},
        ci-next: {hash: "${OTHER}", subject: ci, rights: [read], scopes: ["backend/*", "*"], expires_at: 2030-01-31T00:00:00+02:00}
      }`),
    ).access;
    expect(tokens).toEqual({
      ci: {
        sha256: '0a'.repeat(32),
        subject: 'ci',
        rights: ['read', 'lease', 'revoke-own'],
        scopes: [{ project: 'backend', config: 'prd' }],
        expiresAt: null,
      },
      'ci-next': {
        sha256: '0b'.repeat(32),
        subject: 'ci',
        rights: ['read'],
        scopes: [
          { project: 'backend', config: '*' },
          { project: '*', config: '*' },
        ],
        expiresAt: new Date('2030-01-30T22:00:00Z'),
      },
    });
  });

  test('may have expired, and an admin has all rights in its scopes', () => {
    const text = token('scopes: [backend/prd], rights: [admin], expires_at: 2020-01-31T00:00:00Z');
    expect(load(text).access.tokens['ci']).toMatchObject({
      rights: ['read', 'lease', 'revoke-own', 'admin'],
      scopes: [{ project: 'backend', config: 'prd' }],
      expiresAt: new Date('2020-01-31T00:00:00Z'),
    });
  });

  test('are found by their own name only', () => {
    const { tokens, oidc } = load(token('scopes: ["*"]')).access;
    expect([tokens['constructor'], tokens['__proto__'], oidc['constructor']]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test.each([
    [token(''), `${CI}.scopes: is missing: it must be a list`],
    [token('scopes: []'), `${CI}.scopes: must name at least one project/config`],
    [token('scopes: backend/prd'), `${CI}.scopes: must be a list`],
    [token('scopes: [backend]'), `${CI}.scopes[0]: must be project/config, project/* or *`],
    [token('scopes: ["*/prd"]'), `${CI}.scopes[0]: must be project/config, project/* or *`],
    [token('scopes: [backend/prd/x]'), `${CI}.scopes[0]: must be project/config, project/* or *`],
    [token('scopes: [backend/prod]'), `${CI}.scopes[0]: must name a config of project backend: prd, dev`],
    [token('scopes: ["*", bakend/*]'), `${CI}.scopes[1]: must name a project of this file: backend, empty`],
    [token('scopes: [empty/prd]'), `${CI}.scopes[0]: must name a config of project empty: there is none yet`],
    [token('scopes: ["*"], rights: []'), `${CI}.rights: must have at least 1 entries`],
    [token('scopes: ["*"], rights: [write]'), `${CI}.rights[0]: must be read or lease or revoke-own or admin`],
    [token('scopes: ["*"], subject: "a b"'), `${CI}.subject: must be 1 to 150 printable characters without spaces`],
    [token('scopes: ["*"], expires_at: 2030-01-31'), `${CI}.expires_at: must be an instant such as`],
    [token('scopes: ["*"], expires_at: 90d'), `${CI}.expires_at: must be an instant such as`],
    [token('scopes: ["*"], expires: x'), `${CI}.expires: is not known here. Allowed: hash, subject, rights, scopes`],
    [access('tokens: {ci: {scopes: ["*"]}}'), `${CI}.hash: is missing`],
    [access(`tokens: {ci: {hash: "${HASH.slice(0, -1)}", scopes: ["*"]}}`), `${CI}.hash: must be sha256: and 64 hex`],
    [access(`tokens: {ci: {hash: "${HASH.toUpperCase()}", scopes: ["*"]}}`), `${CI}.hash: must be sha256: and 64 hex`],
    [access(`tokens: {Ci: {hash: "${HASH}", scopes: ["*"]}}`), 'access.tokens.Ci: has a name that is not allowed'],
    [
      access(`tokens: {ci: {hash: "${HASH}", scopes: ["*"]}, cd: {hash: "${HASH}", scopes: ["*"]}}`),
      'access.tokens.cd.hash: is also that of ci: a token is made for one name',
    ],
    [access('token: {}'), 'access.token: is not known here. Allowed: tokens, oidc'],
  ])('%j is refused with what is allowed', (text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(problem)]);
  });

  test.each([
    access(`tokens: {ci: {hash: "${SECRET}", scopes: ["*"]}}`),
    access(`tokens: {ci: "${SECRET}"}`),
    access(`tokens: {"${SECRET}": {hash: "${HASH}", scopes: ["*"]}}`),
    access(`tokens: {"${SECRET}": {hash: "${HASH}", scopes: ["*"]}, ci: {hash: "${HASH}", scopes: ["*"]}}`),
    access(`tokens: {ci: {hash: "${HASH}", scopes: ["*"], "${SECRET}": x}}`),
  ])('a token in the wrong place is not repeated', (text) => {
    expect(errorOf(text).message).not.toContain('abcdefghijklmnop');
  });
});

describe('OIDC issuers', () => {
  test('are read with their defaults, claims by name and by path', () => {
    const text = access(`oidc: {
      github: {
        issuer: "https://token.actions.githubusercontent.com",
        audience: leasehold,
        rules: [{claims: {repository: example/backend, ref: [refs/heads/main, "refs/tags/v*"]}, scopes: [backend/prd]}]
      },
      cluster: {
        issuer: "http://127.0.0.1:8001",
        audience: [leasehold, other],
        jwks_uri: "http://127.0.0.1:8001/openid/v1/jwks",
        rules: [{
          claims: {/kubernetes.io/namespace: backend, kubernetes.io: x, "https://a.example/b": 5, "/a~1b/c~0d~01": true},
          subject: /kubernetes.io/serviceaccount/name, rights: [admin], scopes: ["*"]
        }]
      }
    }`);
    expect(load(text).access.oidc).toEqual({
      github: {
        issuer: 'https://token.actions.githubusercontent.com',
        audiences: ['leasehold'],
        jwksUri: null,
        rules: [
          {
            claims: [
              { path: ['repository'], values: ['example/backend'] },
              { path: ['ref'], values: ['refs/heads/main', 'refs/tags/v*'] },
            ],
            subject: ['sub'],
            rights: ['read', 'lease', 'revoke-own'],
            scopes: [{ project: 'backend', config: 'prd' }],
          },
        ],
        deviceLogin: null,
      },
      cluster: {
        issuer: 'http://127.0.0.1:8001',
        audiences: ['leasehold', 'other'],
        jwksUri: 'http://127.0.0.1:8001/openid/v1/jwks',
        rules: [
          {
            claims: [
              { path: ['kubernetes.io', 'namespace'], values: ['backend'] },
              { path: ['kubernetes.io'], values: ['x'] },
              { path: ['https://a.example/b'], values: [5] },
              { path: ['a/b', 'c~d~1'], values: [true] },
            ],
            subject: ['kubernetes.io', 'serviceaccount', 'name'],
            rights: ['read', 'lease', 'revoke-own', 'admin'],
            scopes: [{ project: '*', config: '*' }],
          },
        ],
        deviceLogin: null,
      },
    });
  });

  const TELLS = `${RULE}.claims: must have one claim that tells who may come in, by more than * or true`;
  const CLAIM = 'must be the name of a claim, or /outer/inner';
  const at = (key: string): string => `access.oidc.github.${key}`;

  test.each([
    [issuer(''), at('rules: is missing: it must be a list')],
    [issuer('rules: []'), at('rules: must have at least 1 entries')],
    [issuer('rules: [], secret: x'), at('secret: is not known here. Allowed: issuer, audience, jwks_uri, rules')],
    [rule('scopes: ["*"]'), `${RULE}.claims: is missing`],
    [rule('claims: {repository: a/b}'), `${RULE}.scopes: is missing`],
    [rule('claims: {repository: a/b}, scopes: [backend/prod]'), `${RULE}.scopes[0]: must name a config of project`],
    [rule('claims: {repository: a/b}, scopes: ["*"], subject: ""'), `${RULE}.subject: ${CLAIM}`],
    [rule('claims: {repository: a/b}, scopes: ["*"], subject: jti'), `${RULE}.subject: cannot be iss, aud, exp`],
    [claims(''), TELLS],
    [claims('sub: "*"'), TELLS],
    [claims('repository: "*/*"'), TELLS],
    [claims('sub: [a, "*"]'), TELLS],
    [claims('email_verified: true'), TELLS],
    [claims('iss: "https://issuer.example"'), `cannot be iss, aud, exp, nbf, iat, jti, which tell nothing of who asks`],
    [claims('/aud: leasehold'), 'cannot be iss, aud'],
    [claims('/a//b: x'), CLAIM],
    [claims('/a/: x'), CLAIM],
    [claims('/a~2: x'), CLAIM],
    [claims('repository: ""'), 'repository: must be 1 to 500 characters'],
    [claims('repository: "a/**"'), 'repository: must not have ** in it'],
    [claims('repository: {a: b}'), 'repository: must be text'],
    [claims('repository: []'), 'repository: must have at least 1 entries'],
    [
      access('oidc: {library: {}}'),
      'access.oidc.library: has a name that is not allowed: it cannot be library or token',
    ],
    [access('oidc: {token: {}}'), 'access.oidc.token: has a name that is not allowed: it cannot be library or token'],
    [access('oidc: {Git_Hub: {}}'), 'access.oidc.Git_Hub: has a name that is not allowed'],
  ])('%j is refused with what is allowed', (text, problem) => {
    expect(problemsOf(text)).toContainEqual(expect.stringContaining(problem));
  });

  const URL = 'must be an https:// URL, or http:// to this machine';
  const written = (url: string, more = ''): string =>
    access(`oidc: {github: {issuer: "${url}", audience: a, ${more} rules: [{claims: {sub: a}, scopes: ["*"]}]}}`);

  test.each([
    'https://token.actions.githubusercontent.com',
    'https://auth.example.com/tenant/',
    'http://localhost:8080/realm',
    'http://[::1]:8080',
  ])('may be at %s', (url) => {
    expect(load(written(url)).access.oidc['github']?.issuer).toBe(url);
  });

  test.each([
    'http://issuer.example',
    'ftp://issuer.example',
    'issuer.example',
    'https://user:pass@issuer.example',
    'https://issuer.example?x=1',
    'https://issuer.example#x',
    'https://issuer.example /x',
    '',
  ])('cannot be at %j, and neither can their keys', (url) => {
    expect(problemsOf(written(url))).toEqual([expect.stringContaining(`github.issuer: ${URL}`)]);
    if (/[?#]/.test(url)) return;
    const keys = problemsOf(written('https://issuer.example', `jwks_uri: "${url}",`));
    expect(keys).toEqual([expect.stringContaining(`github.jwks_uri: ${URL}`)]);
  });

  const login = (settings: string, audience = 'cli'): string =>
    access(
      `oidc: {people: {issuer: "https://a.example", audience: ${audience}, rules: [{claims: {sub: a}, scopes: ["*"]}], device_login: {${settings}}}}`,
    );

  test('may be signed in at from a command line', () => {
    expect(load(login('client_id: cli', '[leasehold, cli]')).access.oidc['people']?.deviceLogin).toEqual({
      clientId: 'cli',
      scopes: ['openid', 'offline_access'],
      token: 'id_token',
      parameters: {},
    });
    const text = login(
      'client_id: cli, scopes: [], token: access_token, parameters: {audience: "https://a.example/x"}',
      'leasehold',
    );
    expect(load(text).access.oidc['people']?.deviceLogin).toEqual({
      clientId: 'cli',
      scopes: [],
      token: 'access_token',
      parameters: { audience: 'https://a.example/x' },
    });
  });

  test.each([
    [login(''), 'device_login.client_id: is missing'],
    [login('client_id: "a b"', '"a b"'), 'device_login.client_id: must be 1 to 500 printable characters'],
    [login('client_id: cli, client_secret: x'), 'Allowed: client_id, scopes, token, parameters'],
    [login('client_id: cli', 'leasehold'), 'people.audience: must have the client_id of device_login among them'],
    [login('client_id: cli, scopes: [email]'), 'device_login.scopes: must have openid among them'],
    [login('client_id: cli, scopes: [openid, "a b"]'), 'device_login.scopes[1]: must be a scope'],
    [login('client_id: cli, token: refresh_token'), 'device_login.token: '],
    [login('client_id: cli, parameters: {scope: x}'), 'it cannot be client_id, client_secret, scope'],
    [login('client_id: cli, parameters: {Client_ID: x}'), 'it cannot be client_id, client_secret, scope'],
    [login('client_id: cli, parameters: {a: ""}'), 'device_login.parameters.a: must be 1 to 500 characters'],
  ])('%j lets nobody sign in', (text, problem) => {
    expect(problemsOf(text)).toContainEqual(expect.stringContaining(problem));
  });

  test('have one entry each', () => {
    const entry = '{issuer: "https://a.example", audience: a, rules: [{claims: {sub: a}, scopes: ["*"]}]}';
    expect(problemsOf(access(`oidc: {one: ${entry}, two: ${entry}}`))).toEqual([
      'access.oidc.two.issuer: is also that of one: an issuer has one entry, with all its rules',
    ]);
  });
});
