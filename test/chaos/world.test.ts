import { connectHttpLeases } from '../../client/http';
import type { DeedSeen } from './trace';
import { INTEGRATIONS } from './plan-types';
import { openWorld } from './world';
import type { World } from './world-types';

let world: World;
const deeds: DeedSeen[] = [];
const crashes: string[] = [];

beforeAll(async () => {
  world = await openWorld({
    broken: null,
    onDeed: (deed) => deeds.push(deed),
    onCrash: (process, how) => crashes.push(`${process}: ${how}`),
  });
}, 120_000);
afterAll(async () => {
  await world.close();
}, 120_000);

const APIS = ['api-1', 'api-2'] as const;

test.each(INTEGRATIONS.flatMap((integration) => APIS.map((api) => [integration, api] as const)))(
  'a lease of %s through %s is there, works, and is gone when it has ended',
  async (integration, api) => {
    const leases = connectHttpLeases({ url: world.urls[api], token: world.tokens['ada']! });
    const lease = await leases.issue({
      project: world.project,
      config: world.config,
      dynamicSecret: world.dynamicSecrets[integration],
      ttl: '1m',
    });
    expect(await world.use(integration, lease.credential)).toBe('ok');
    const [entity] = (await world.entities(integration)).filter(({ leaseId }) => leaseId === lease.leaseId);
    expect(entity!.identities).toContain(world.identityOf(integration, lease.credential));
    expect(await lease.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
    expect((await world.entities(integration)).filter(({ leaseId }) => leaseId === lease.leaseId)).toEqual([]);
    expect(await world.use(integration, lease.credential)).not.toBe('ok');
    expect(crashes).toEqual([]);
  },
  60_000,
);
