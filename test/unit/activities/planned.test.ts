import { integrationTypes } from '../../../activities/integrations/registry';
import { requirePlanned } from '../../../activities/planned';
import { parseConfig } from '../../../config/load';
import type { Config, DynamicSecret } from '../../../config/load';
import type { Handle, ProvisionInput } from '../../../workflows/contract';

const deployment = 'abcdefgh';
const leaseId = 'abcdefghijklmnopqrstuvwx';
const PARAMETERS = { grants: ['GRANT SELECT ON app.orders TO {{role}}'], owner: 'app' };
const TIMES = { ttlMs: 60_000, issueTimeoutMs: 60_000 };

function configOf(connection: Readonly<Record<string, unknown>>, dynamicSecret: object = {}, name = 'DB'): Config {
  const text = JSON.stringify({
    version: 1,
    integrations: {
      db: { type: 'postgresql', connection: { host: 'a', user: 'admin', password: 'env:P', ...connection } },
    },
    projects: {
      backend: {
        configs: {
          prd: { dynamic_secrets: { [name]: { integration: 'db', parameters: PARAMETERS, ...dynamicSecret } } },
        },
      },
    },
  });
  return parseConfig(text, integrationTypes, 'test');
}

/** What is planned by one configuration and comes to a worker of another one. */
function inputBy(config: Config, change: Handle = {}): ProvisionInput {
  const integration = 'db';
  const { connection } = config.integrations['db']!;
  const { parameters } = config.projects['backend']!.configs['prd']!.dynamicSecrets['DB']!;
  const { entity, handle } = integrationTypes['postgresql']!.plan(
    { deployment, leaseId, integration, ...TIMES },
    connection,
    parameters,
  );
  const stored = JSON.parse(JSON.stringify({ ...handle, ...change })) as Handle;
  const what = { project: 'backend', config: 'prd', dynamicSecret: 'DB', integration, entity, handle: stored };
  return { leaseId, ...what, ...TIMES, recipient: { kty: 'OKP', crv: 'X25519', x: 'x' } };
}

function pass(config: Config, input: ProvisionInput, attempt = 1): DynamicSecret {
  return requirePlanned({ config, types: integrationTypes, deployment }, input, attempt);
}

function refusalOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return null;
}

test('a lease passes that two workers plan alike, though each reaches the provider by an address of its own', () => {
  const input = inputBy(configOf({ host: 'a.example.com' }));
  expect(pass(configOf({ host: 'a.example.com' }), input)).toMatchObject({ integration: 'db' });
  expect(pass(configOf({ host: '10.0.0.5', port: 6432 }), input)).toMatchObject({ integration: 'db' });
});

test.each([
  ['has another prefix', configOf({ name_prefix: 'other' }), {}, 'Unavailable'],
  ['hands on to another owner', configOf({}, { parameters: { ...PARAMETERS, owner: 'other' } }), {}, 'Unavailable'],
  ['writes down one thing more', configOf({}), { more: true }, 'Unavailable'],
  ['allows less time', configOf({}, { default_ttl: '5s', min_ttl: '5s', max_ttl: '10s' }), {}, 'InvalidTtl'],
  ['does not know the dynamic secret yet', configOf({}, {}, 'OTHER'), {}, 'UnknownDynamicSecret'],
])(
  'one that comes to a worker whose configuration or release %s is left to another for a while, then refused',
  (_, config, change, type) => {
    const input = inputBy(configOf({}), change);
    expect(refusalOf(() => pass(config, input, 1))).toMatchObject({ type, nonRetryable: false });
    expect(refusalOf(() => pass(config, input, 4))).toMatchObject({ type, nonRetryable: false });
    expect(refusalOf(() => pass(config, input, 5))).toMatchObject({ type, nonRetryable: true });
  },
);
