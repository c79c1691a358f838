import { findDynamicSecret } from '../../../config/load';
import { errorOf, load, problemsOf } from '../../support/config-text';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SECRET = 'wJalrXUtnFEMI-K7MDENG';
const HASH: unknown = expect.stringMatching(/^[0-9a-f]{8}$/);

const toy = (settings: string): string => `version: 1\nintegrations: {aws: {type: toy, ${settings}}}`;
const dynamic = (settings: string): string =>
  `version: 1
integrations: {aws: {type: toy}}
projects: {backend: {configs: {prd: {dynamic_secrets: {DB: {integration: aws, parameters: {rights: [r]}, ${settings}}}}}}}`;
const secrets = (entries: string): string =>
  `version: 1\nprojects: {backend: {configs: {prd: {secrets: {${entries}}}}}}`;
const webhook = (entry: string): string => `version: 1\nalerts: {webhooks: [${entry}]}`;
/** What a file says of the HTTP API that says nothing of it. */
const NO_API = {
  hash: HASH,
  access: { tokens: {}, oidc: {} },
  api: { tls: null, trustProxy: [], requestsPerMinute: 600 },
};
const DB = 'DB: {integration: aws, parameters: {rights: [r]}}';
const AT = 'projects.backend.configs.prd';

describe('a configuration', () => {
  test('is read whole, with its defaults, in milliseconds', () => {
    const config = load(`
version: 1
integrations:
  aws-prod:
    type: toy
    retired: true
    paused: true
    connection: { key: env:KEY }
    limits: { calls_per_second: 0.5, provisions: 1, quota_reserve: 100 }
    timings: { issue_timeout: 2m, attempt_timeout: 1m, heartbeat_timeout: 10s, consistency_window: 0s, stuck_after: 30 }
    sweep: { every: 10s, grace: 0s, overdue_after: 1s }
  bare: { type: bare }
projects:
  backend:
    configs:
      prd:
        secrets: { LOG_LEVEL: info, EMPTY: "", API_TOKEN: "env:API_TOKEN", PEM: file:/run/pem }
        dynamic_secrets:
          S3: { integration: aws-prod, default_ttl: 90s, min_ttl: 30, max_ttl: 1d12h, max_leases: 50, max_leases_per_holder: 1, parameters: { rights: [r] } }
          DB: { integration: bare }
alerts:
  webhooks:
    - { url: env:SLACK_WEBHOOK, format: slack }
    - { url: "https://alerts.example.com:8443/hook?key=1", secret: file:/run/webhook-secret }
`);
    expect(config).toEqual({
      integrations: {
        'aws-prod': {
          type: 'toy',
          retired: true,
          paused: true,
          connection: { region: 'here', key: 'env:KEY' },
          limits: { callsPerSecond: 0.5, provisions: 1, deprovisions: 20, quotaReserve: 100 },
          timings: {
            issueTimeoutMs: 2 * MINUTE,
            attemptTimeoutMs: MINUTE,
            heartbeatTimeoutMs: 10_000,
            consistencyWindowMs: 0,
            stuckAfterMs: 30_000,
          },
          sweep: { everyMs: 10_000, graceMs: 0, overdueAfterMs: 1_000 },
        },
        bare: {
          type: 'bare',
          retired: false,
          paused: false,
          connection: {},
          limits: { callsPerSecond: 5, provisions: 10, deprovisions: 20, quotaReserve: 0 },
          timings: {
            issueTimeoutMs: MINUTE,
            attemptTimeoutMs: 30_000,
            heartbeatTimeoutMs: 8_000,
            stuckAfterMs: 2 * MINUTE,
          },
          sweep: { everyMs: 10 * MINUTE, graceMs: 10 * MINUTE, overdueAfterMs: 10 * MINUTE },
        },
      },
      projects: {
        backend: {
          configs: {
            prd: {
              secrets: {
                LOG_LEVEL: { literal: 'info' },
                EMPTY: { literal: '' },
                API_TOKEN: { reference: 'env:API_TOKEN' },
                PEM: { reference: 'file:/run/pem' },
              },
              dynamicSecrets: {
                S3: {
                  integration: 'aws-prod',
                  defaultTtlMs: 90_000,
                  minTtlMs: 30_000,
                  maxTtlMs: 36 * HOUR,
                  maxLeases: 50,
                  maxLeasesPerHolder: 1,
                  fields: ['USER', 'PASSWORD'],
                  parameters: { rights: ['r'], size: 3 },
                },
                DB: {
                  integration: 'bare',
                  defaultTtlMs: 30 * MINUTE,
                  minTtlMs: MINUTE,
                  maxTtlMs: 12 * HOUR,
                  maxLeases: null,
                  maxLeasesPerHolder: null,
                  fields: ['KEY'],
                  parameters: {},
                },
              },
            },
          },
        },
      },
      alerts: {
        webhooks: [
          { name: 'webhook 1', url: { reference: 'env:SLACK_WEBHOOK' }, format: 'slack', secret: null },
          {
            name: 'alerts.example.com:8443',
            url: { literal: 'https://alerts.example.com:8443/hook?key=1' },
            format: 'json',
            secret: 'file:/run/webhook-secret',
          },
        ],
      },
      ...NO_API,
    });
    expect('consistencyWindowMs' in config.integrations['bare']!.timings).toBe(false);
  });

  test('may leave everything but its version out, or comment it out', () => {
    expect(load('version: 1')).toEqual({ integrations: {}, projects: {}, alerts: { webhooks: [] }, ...NO_API });
    for (const other of [
      'version: 1\nintegrations:\nprojects:\nalerts:\n',
      'version: 1\nalerts:\n  webhooks:\n',
      'version: 1\naccess:\napi:\n',
      'version: 1\naccess: {tokens: , oidc: }\napi: {tls: , trust_proxy: }',
    ]) {
      expect(load(other)).toEqual({ ...load('version: 1'), hash: HASH });
    }
    expect(load('version: 1\nprojects:\n  a:\n    configs:\n      b:\n        secrets:\n  c:\n')).toEqual({
      integrations: {},
      projects: { a: { configs: { b: { secrets: {}, dynamicSecrets: {} } } }, c: { configs: {} } },
      alerts: { webhooks: [] },
      ...NO_API,
    });
    expect(
      load('version: 1\nintegrations: {a: {type: bare, connection: , limits: , timings: , sweep: }}').integrations,
    ).toHaveProperty('a');
  });

  test('calls a provider as often as its type says, where it says nothing else itself', () => {
    const { integrations } = load(`version: 1
integrations:
  quick: { type: quick, limits: { provisions: 1 } }
  slowed: { type: quick, limits: { calls_per_second: 2 } }
  unknown: { type: bare }
`);
    expect(integrations['quick']!.limits.callsPerSecond).toBe(100);
    expect(integrations['slowed']!.limits.callsPerSecond).toBe(2);
    expect(integrations['unknown']!.limits.callsPerSecond).toBe(5);
  });

  test('does not resolve a reference', () => {
    expect(() => load(toy('connection: {key: env:LEASEHOLD_NOT_SET}'))).not.toThrow();
  });

  test('tells all problems at once, in the order of the file, with line and column', () => {
    const error = errorOf(`version: 0
integrations:
  Aws: { type: toy }
  aws:
    type: toy
    connection:
      regoin: x
      region: X
    limits: { provisions: 0 }
    timings: { stuck_after: never }
  gcp: { type: gcp }
projects:
  backend:
    configs:
      prd:
        secrets: { PORT: 8080 }
        dynamic_secrets:
          DB: { integration: nowhere }
          S3: { integration: aws, parameters: { size: 10 } }
`);
    expect(error.problems.map(({ path, line, column }) => `${String(line)}:${String(column)} ${path}`)).toEqual([
      '1:1 version',
      '3:3 integrations.Aws',
      '7:7 integrations.aws.connection.regoin',
      '8:7 integrations.aws.connection.region',
      '9:15 integrations.aws.limits.provisions',
      '10:16 integrations.aws.timings.stuck_after',
      '11:10 integrations.gcp.type',
      '16:20 projects.backend.configs.prd.secrets.PORT',
      '18:17 projects.backend.configs.prd.dynamic_secrets.DB.integration',
      '19:35 projects.backend.configs.prd.dynamic_secrets.S3.parameters.rights',
      '19:49 projects.backend.configs.prd.dynamic_secrets.S3.parameters.size',
    ]);
    expect(error.message).toMatch(/^test\.yaml has 11 problems:\n {2}version \(line 1, column 1\): must be 1/);
  });

  test.each([
    ['', ': is empty. It must begin with "version: 1".'],
    ['# nothing', ': is empty.'],
    ['[]', ': must be a mapping'],
    ['hello', ': must be a mapping'],
    ['projects: {}', 'version: must be 1'],
    ['version: "1"', 'version: must be 1'],
    ['version: 1\nproject: {}', 'project: is not known here. Allowed: version, integrations, projects'],
    ['version: 1\nconstructor: {}', 'constructor: is not known here'],
    ['version: 1\nintegrations: []', 'integrations: must be a mapping of names to values'],
    ['version: 1\nintegrations: {a: 5}', 'integrations.a: must be a mapping of keys to values'],
    ['version: 1\nintegrations: {a: {}}', 'integrations.a.type: is missing'],
    ['version: 1\nintegrations: {a: {type: constructor}}', 'integrations.a.type: must be one of: toy, bare, odd'],
    [toy('retired: yes'), 'integrations.aws.retired: must be true or false'],
    [toy('limits: {calls_per_second: 0}'), 'integrations.aws.limits.calls_per_second: must be at least 0.1'],
    [toy('limits: {calls_per_second: 1001}'), 'integrations.aws.limits.calls_per_second: must be at most 1000'],
    [toy('limits: {provisions: 1.5}'), 'integrations.aws.limits.provisions: must be a whole number'],
    [toy('limits: {deprovisions: "5"}'), 'integrations.aws.limits.deprovisions: must be a number'],
    [toy('paused: 1'), 'integrations.aws.paused: must be true or false'],
    [toy('limits: {quota_reserve: -1}'), 'integrations.aws.limits.quota_reserve: must be'],
    [toy('limits: {quota_reserve: 1000001}'), 'integrations.aws.limits.quota_reserve: must be at most 1000000'],
    [toy('sweep: {every: 9s}'), 'integrations.aws.sweep.every: must be from 10s to 7d, not 9s'],
    [toy('sweep: {grace: 8d}'), 'integrations.aws.sweep.grace: must be from 0s to 7d, not 8d'],
    [toy('sweep: {overdue_after: 0s}'), 'integrations.aws.sweep.overdue_after: must be from 1s to 7d'],
    [
      toy('sweep: {after: 1m}'),
      'integrations.aws.sweep.after: is not known here. Allowed: every, grace, overdue_after',
    ],
    ['version: 1\nalerts: {webhook: []}', 'alerts.webhook: is not known here. Allowed: webhooks'],
    ['version: 1\nalerts: {webhooks: {}}', 'alerts.webhooks: must be a list'],
    [webhook('{format: slack}'), 'alerts.webhooks[0].url: is missing: it must be text'],
    [webhook('{url: env:A, format: teams}'), 'alerts.webhooks[0].format: must be json or slack'],
    [
      webhook('{url: env:A}, {url: env:A, secrets: env:B}'),
      'alerts.webhooks[1].secrets: is not known here. Allowed: url',
    ],
    [
      toy('limits: {calls: 5}'),
      'integrations.aws.limits.calls: is not known here. Allowed: calls_per_second, provisions',
    ],
    [
      toy('timings: {heartbeat_timeout: 2s}'),
      'integrations.aws.timings.heartbeat_timeout: must be from 3s to 1m, not 2s',
    ],
    [
      toy('timings: {consistency_window: 61m}'),
      'integrations.aws.timings.consistency_window: must be from 0s to 1h, not 1h1m',
    ],
    [toy('timings: {stuck_after: 1e3}'), 'integrations.aws.timings.stuck_after: must be a plain number'],
    [
      toy('timings: {issue_timeout: 20s}'),
      'integrations.aws.timings.attempt_timeout: must not be longer than issue_timeout',
    ],
    [
      toy('timings: {attempt_timeout: 9s, heartbeat_timeout: 10s}'),
      'integrations.aws.timings.heartbeat_timeout: must not be longer than attempt_timeout',
    ],
    [toy('connection: {mode: medium}'), 'integrations.aws.connection.mode: must be fast or slow'],
    [toy('connection: {either: 5}'), 'integrations.aws.connection.either: must be text: put it in quotes or a mapping'],
    [toy('connection: {either: {size: x}}'), 'integrations.aws.connection.either.size: must be a number'],
    [toy('connection: []'), 'integrations.aws.connection: must be a mapping'],
    [
      dynamic('default_ttl: 30s'),
      `${AT}.dynamic_secrets.DB.default_ttl: must be from min_ttl 1m to max_ttl 12h, not 30s`,
    ],
    [
      dynamic('min_ttl: 1h'),
      `${AT}.dynamic_secrets.DB.default_ttl: is absent, and 30m, which it then is, is not from min_ttl 1h`,
    ],
    [dynamic('max_ttl: 10m'), `${AT}.dynamic_secrets.DB.default_ttl: is absent`],
    [dynamic('min_ttl: 2h, max_ttl: 1h'), `${AT}.dynamic_secrets.DB.min_ttl: must not be longer than max_ttl`],
    [dynamic('max_ttl: 366d'), `${AT}.dynamic_secrets.DB.max_ttl: must be from 1s to 365d: "366d" is longer`],
    [dynamic('default_ttl: '), `${AT}.dynamic_secrets.DB.default_ttl: must be from 1s to 365d: null is not a duration`],
    [dynamic('max_leases: 0'), `${AT}.dynamic_secrets.DB.max_leases: must be at least 1`],
    [dynamic('max_leases: 100001'), `${AT}.dynamic_secrets.DB.max_leases: must be at most 100000`],
    [dynamic('max_leases_per_holder: 1.5'), `${AT}.dynamic_secrets.DB.max_leases_per_holder: must be a whole number`],
    [dynamic('max_leases_per_holder: all'), `${AT}.dynamic_secrets.DB.max_leases_per_holder: must be a number`],
    [dynamic('ttl: 5m'), `${AT}.dynamic_secrets.DB.ttl: is not known here. Allowed: integration, default_ttl, min_ttl`],
    [
      dynamic('retired: true').replace('integration: aws', 'integration: awz'),
      `${AT}.dynamic_secrets.DB.integration: must name an integration of this file: aws`,
    ],
    [secrets('PORT: 8080'), `${AT}.secrets.PORT: must be text: put it in quotes`],
    [secrets('ON: true'), `${AT}.secrets.ON: must be text`],
    [secrets('NONE: '), `${AT}.secrets.NONE: must be text`],
    [
      secrets('log_level: info'),
      `${AT}.secrets.log_level: has a name that is not allowed: it must be 1 to 64 of A-Z 0-9 _`,
    ],
    [secrets('T: "env:NOT A NAME"'), `${AT}.secrets.T: begins like a reference`],
    [secrets('T: "file:relative"'), `${AT}.secrets.T: begins like a reference`],
    [
      'version: 1\nprojects: {Backend: {}}',
      'projects.Backend: has a name that is not allowed: it must be 1 to 64 of a-z 0-9 _ -',
    ],
    ['version: 1\nintegrations: {a_b: {type: bare}}', 'integrations.a_b: has a name that is not allowed'],
    [`version: 1\nprojects: {${'a'.repeat(65)}: {}}`, 'projects["aaaa'],
  ])('%j is refused with what is allowed', (text, problem) => {
    expect(problemsOf(text)).toContainEqual(expect.stringContaining(problem));
  });

  test('compares TTLs even if something else in the dynamic secret is wrong, and tells a bad TTL once', () => {
    expect(problemsOf(dynamic('junk: 1, min_ttl: 2h, max_ttl: 1h'))).toHaveLength(2);
    expect(problemsOf(dynamic('default_ttl: junk'))).toHaveLength(1);
    expect(problemsOf(dynamic('default_ttl: 1e3'))).toHaveLength(1);
  });

  test('refuses a static secret with the name of a dynamic secret', () => {
    expect(problemsOf(dynamic('max_ttl: 1h').replace('prd: {', 'prd: {secrets: {DB: x}, '))).toEqual([
      `${AT}.secrets.DB: is also the name of a dynamic secret of this config: rename one of them`,
    ]);
  });

  test.each([
    ['secrets: {DB_USER: x}', 'secrets.DB_USER: is also what dynamic secret DB is handed out as'],
    ['secrets: {DB_LEASE_ID: x}', 'secrets.DB_LEASE_ID: is also what dynamic secret DB is handed out as'],
    ['secrets: {DB_LEASE_EXPIRES_AT: x}', 'secrets.DB_LEASE_EXPIRES_AT: is also what dynamic secret DB is'],
    [
      'dynamic_secrets: {DB_USER: {integration: bare}}',
      'dynamic_secrets.DB: would be handed out as DB_USER, which is also the name of a dynamic secret',
    ],
    [
      'dynamic_secrets: {DB_LEASE: {integration: odd}}',
      'dynamic_secrets.DB_LEASE: would be handed out as DB_LEASE_ID, which is also what dynamic secret DB is handed out as',
    ],
  ])('refuses %s beside a dynamic secret whose credential has that name', (entries, problem) => {
    const [part = ''] = entries.split(':');
    const merged = entries.replace('dynamic_secrets: {', `dynamic_secrets: {${DB}, `);
    const rest = part === 'secrets' ? `, dynamic_secrets: {${DB}}` : '';
    const text = `version: 1
integrations: {aws: {type: toy}, bare: {type: bare}, odd: {type: odd}}
projects: {backend: {configs: {prd: {${merged}${rest}}, dev: {secrets: {DB_USER: x}}}}}`;
    expect(problemsOf(text)).toEqual([expect.stringContaining(`${AT}.${problem}`)]);
    expect(problemsOf(text)[0]).toMatch(/of this config: rename one of them$/);
  });

  test('knows the names in a credential by the parameters with which it is made', () => {
    const text = (parameters: string, more = '') => `version: 1
integrations: {odd: {type: odd}}
projects: {backend: {configs: {prd: {secrets: {DB_KEY: x}, dynamic_secrets: {DB: {integration: odd, parameters: ${parameters}}${more}}}}}}`;
    const { dynamicSecrets } = load(text('{}')).projects['backend']!.configs['prd']!;
    expect(dynamicSecrets['DB']!.fields).toEqual(['ID']);
    expect(problemsOf(text('{with_key: true}'))).toEqual([
      `${AT}.secrets.DB_KEY: is also what dynamic secret DB is handed out as of this config: rename one of them`,
    ]);
  });

  test('allows names that only begin like those of a credential', () => {
    const text = `version: 1
integrations: {aws: {type: toy}, bare: {type: bare}}
projects: {backend: {configs: {prd: {secrets: {DB_USERS: x, DB_KEY: x}, dynamic_secrets: {${DB}, DB_: {integration: bare}, B: {integration: bare}}}}}}`;
    expect(() => load(text)).not.toThrow();
  });

  test('a key with characters that do something is named without them', () => {
    const [problem] = errorOf('version: 1\n"a\\n\\e[31m\\u202E": 1').problems;
    expect(problem?.path).toBe('["a??[31m?"]');
  });

  test('names of the language are names like others', () => {
    const config = load(
      'version: 1\nintegrations: {constructor: {type: bare}}\nprojects: {constructor: {configs: {tostring: {}}}}',
    );
    expect(Object.keys(config.integrations)).toEqual(['constructor']);
    expect(load('version: 1').integrations['constructor']).toBeUndefined();
  });
});

describe('a secret in the wrong place is never repeated', () => {
  test.each([
    [
      'a literal where a reference belongs',
      toy(`connection: {key: ${SECRET}}`),
      'must be a reference, env:NAME or file:/absolute/path',
    ],
    ['a value that the type itself would repeat', toy(`connection: {token: ${SECRET}}`), 'is not allowed here'],
    ['a value of the wrong form', toy(`connection: {region: ${SECRET}}`), 'must be lower-case letters'],
    ['a value of no allowed kind', toy(`connection: {mode: ${SECRET}}`), 'must be fast or slow'],
    ['a connection that is the secret', toy(`connection: ${SECRET}`), 'must be a mapping'],
    ['an unknown key of a connection', toy(`connection: {regoin: ${SECRET}}`), 'is not known here'],
    ['a secret as a key of a connection', toy(`connection: {${SECRET}AAAA1234567890: x}`), 'is not known here'],
    ['a secret as the name of a secret', secrets(`"TOKEN=${SECRET}": x`), 'has a name that is not allowed'],
    ['a list in place of a secret', secrets(`TOKEN: [${SECRET}]`), 'must be text'],
    ['a mapping in place of a secret', secrets(`TOKEN: {a: ${SECRET}}`), 'must be text'],
    ['a broken reference', secrets(`TOKEN: "env:${SECRET}"`), 'begins like a reference'],
    ['secrets that are no mapping', secrets('').replace('{}', SECRET), 'must be a mapping'],
    ['an untagged secret', secrets(`TOKEN: !x ${SECRET}`), 'tag'],
    ['a URL of a webhook in place of its entry', webhook(`"https://hooks.example/${SECRET}"`), 'must be a mapping'],
    ['a URL of a webhook as a key', webhook(`{"https://a/${SECRET}": x}`), 'is not known here'],
    ['a URL of a webhook that is not allowed', webhook(`{url: "http://hooks.example/${SECRET}"}`), 'must be env:NAME'],
    ['the secret of a webhook', webhook(`{url: env:A, secret: ${SECRET}}`), 'must be a reference'],
    ['a number', secrets('TOKEN: 0123456789012'), 'plain number'],
  ])('%s', (_, text, sentence) => {
    const error = errorOf(text);
    expect(error.message).toContain(sentence);
    expect(JSON.stringify([error.message, error.problems, error.stack, error.cause])).not.toMatch(
      new RegExp(`${SECRET}|123456789012`),
    );
  });
});

describe('a webhook', () => {
  test.each([
    'https://hooks.slack.com/services/a/b?c=d',
    'https://[2001:db8::1]:8443/',
    'https://10.0.0.1',
    'http://localhost:8080/hook',
    'http://127.0.0.1/',
    'http://[::1]:1/',
  ])('may have the URL %s', (url) => {
    expect(load(webhook(`{url: "${url}"}`)).alerts.webhooks).toMatchObject([
      { url: { literal: url }, name: new URL(url).host },
    ]);
  });

  test.each([
    '',
    'hooks.slack.com/services',
    'http://hooks.slack.com/',
    'http://localhost.example/',
    'http://10.0.0.1/',
    'https://user@hooks.example/',
    'https://user:password@hooks.example/',
    'http://localhost@hooks.example/',
    'https://hooks.example/a b',
    ' https://hooks.example/',
    'https:hooks.example',
    'https://',
    'ftp://hooks.example/',
    'file:relative',
    'env:NOT A NAME',
  ])('may not have the URL %j', (url) => {
    expect(problemsOf(webhook(`{url: "${url}"}`))).toEqual([
      'alerts.webhooks[0].url: must be env:NAME, file:/absolute/path or a URL without user and password: https://, or http:// to localhost, 127.0.0.1 or [::1]',
    ]);
  });

  test('has a name of its own, also beside another one at the same host', () => {
    const { webhooks } = load(
      webhook('{url: "https://a.example/1"}, {url: env:B}, {url: "https://c.example/"}, {url: "https://a.example/2"}'),
    ).alerts;
    expect(webhooks.map(({ name }) => name)).toEqual([
      'a.example (webhook 1)',
      'webhook 2',
      'c.example',
      'a.example (webhook 4)',
    ]);
  });
});

describe('a dynamic secret', () => {
  const config = load(dynamic('max_ttl: 1h'));

  test('is found by project, config and name', () => {
    expect(findDynamicSecret(config, 'backend', 'prd', 'DB')).toMatchObject({
      ok: true,
      dynamicSecret: { integration: 'aws' },
    });
  });

  test.each([
    ['frontend', 'prd', 'DB', 'No project "frontend" is configured. Known: backend.'],
    ['backend', 'dev', 'DB', 'No config "dev" is configured in project backend. Known: prd.'],
    ['backend', 'prd', 'S3', 'No dynamic secret "S3" is configured in backend/prd. Known: DB.'],
    ['constructor', 'prd', 'DB', 'No project "constructor"'],
    ['__proto__', 'prd', 'DB', 'No project "__proto__"'],
    ['backend', '__proto__', 'DB', 'No config "__proto__"'],
    ['backend', 'prd', 'toString', 'No dynamic secret "toString"'],
    ['a\n\u001b[31m', 'prd', 'DB', 'No project "a??[31m"'],
    [undefined as never, 'prd', 'DB', 'No project undefined'],
    [['backend'] as never, 'prd', 'DB', 'No project a list'],
  ])('%j %j %j is not found, and what there is is named', (project, configName, name, message) => {
    const found = findDynamicSecret(config, project, configName, name);
    expect(found).toMatchObject({ ok: false, message: expect.stringContaining(message) as unknown });
  });
});

describe('the version of the file', () => {
  test.each(['version: 2', 'version: 2\nintegrations: [new, words]\nvaults: {a: 1}\nprojects: {b: {c: d}}'])(
    'that is for a newer release is told alone, for the rest may be right there: %j',
    (text) => {
      expect(problemsOf(text)).toEqual([
        'version: must be 1, the latest version of this file that this release reads. Upgrade every worker and API before the file, or write it for this release',
      ]);
    },
  );

  test.each(['version: 0', 'version: "2"', 'version: v1', 'version: [2]', 'version: '])(
    'that never was is told with the rest: %j',
    (text) => {
      const problems = problemsOf(`${text}\nvaults: {a: 1}`);
      expect(problems).toEqual([
        'version: must be 1, the latest version of this file that this release reads',
        expect.stringContaining('vaults: is not known here'),
      ]);
    },
  );

  test('does not allow a key that this release does not know: a setting for a newer one would be passed over in silence', () => {
    expect(problemsOf('version: 1\napi: {quick: true}')).toEqual([
      expect.stringContaining('api.quick: is not known here'),
    ]);
  });
});
