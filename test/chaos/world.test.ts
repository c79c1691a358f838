import { setTimeout as sleep } from 'node:timers/promises';
import { connectHttpLeases } from '../../client/http';
import type { Lease } from '../../client/http';
import { isFull } from '../support/full';
import type { Fault, IntegrationName } from './plan-types';
import { INTEGRATIONS } from './plan-types';
import type { DeedSeen, EntitySeen } from './trace';
import { openWorld } from './world';
import type { Break, World } from './world-types';

let world: World;
let deeds: DeedSeen[] = [];
const crashes: string[] = [];

async function open(broken: Break | null): Promise<World> {
  deeds = [];
  return openWorld({
    broken,
    onDeed: (deed) => deeds.push(deed),
    onCrash: (process, how) => crashes.push(`${process}: ${how}`),
  });
}

afterEach(() => {
  expect(crashes).toEqual([]);
});

async function issue(integration: IntegrationName, ttl: string, through: 'api-1' | 'api-2' = 'api-1'): Promise<Lease> {
  const leases = connectHttpLeases({ url: world.urls[through], token: world.tokens['ada']! });
  const { project, config, dynamicSecrets } = world;
  return leases.issue({ project, config, dynamicSecret: dynamicSecrets[integration], ttl });
}

async function entitiesOf(integration: IntegrationName, leaseId: string): Promise<readonly EntitySeen[]> {
  return (await world.entities(integration)).filter((entity) => entity.leaseId === leaseId);
}

async function until(condition: () => Promise<boolean>, withinMs: number): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('waited in vain');
    await sleep(200);
  }
}

/** Issues and revokes without end, so that calls are there to be met. Answers how to end it. */
function keepBusy(): () => Promise<void> {
  let isOver = false;
  const streams = INTEGRATIONS.map(async (integration) => {
    for (let count = 0; !isOver; count += 1) {
      try {
        const lease = await issue(integration, '5s', count % 2 === 0 ? 'api-1' : 'api-2');
        await lease.revoke({ wait: false });
      } catch {
        await sleep(200);
      }
    }
  });
  return async () => {
    isOver = true;
    await Promise.all(streams);
  };
}

const SWEPT_WITHIN_MS = 25_000;
const ZOMBIE_ACTS_WITHIN_MS = 10_000;

/**
 * Stops a worker in the middle of a provision for longer than it may be silent, so that a successor takes over before it wakes.
 * Answers how many API keys were made for the one lease.
 */
async function wakeZombie(): Promise<number> {
  const stopped = world.inject({
    do: 'stop-at-call',
    process: 'worker-1',
    integration: 'datadog',
    phase: 'after',
    forMs: 6_000,
  });
  const { leaseId } = await issue('datadog', '1m');
  expect((await stopped).hit).toBe(true);
  const count = (): number =>
    deeds.filter((deed) => deed.leaseId === leaseId && deed.operation === 'CreateAPIKey' && deed.done).length;
  for (const end = Date.now() + ZOMBIE_ACTS_WITHIN_MS; count() < 2 && Date.now() < end;) await sleep(200);
  return count();
}

describe('a world', () => {
  beforeAll(async () => {
    world = await open(null);
  }, 120_000);
  afterAll(() => world.close(), 120_000);

  test.each(INTEGRATIONS)(
    'a lease of %s through either API is there, works, and is gone when it has ended',
    async (integration) => {
      for (const api of ['api-1', 'api-2'] as const) {
        const lease = await issue(integration, '1m', api);
        const { leaseId } = lease;
        const identity = world.identityOf(integration, lease.credential);
        expect(await world.use(integration, lease.credential)).toBe('ok');
        const [entity, ...others] = await entitiesOf(integration, leaseId);
        expect(others).toEqual([]);
        expect(entity!.identities).toContain(identity);
        expect(await lease.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
        expect(await entitiesOf(integration, leaseId)).toEqual([]);
        expect(await world.use(integration, lease.credential)).not.toBe('ok');
        expect(world.identityOf(integration, lease.credential)).toBe(identity);
        const own = deeds.filter((deed) => deed.leaseId === leaseId && deed.done);
        expect(own.filter(({ effect }) => effect === 'makes').length).toBeGreaterThan(0);
        expect(own.filter(({ effect }) => effect === 'removes')).toHaveLength(
          own.filter(({ effect }) => effect === 'makes').length,
        );
      }
    },
    60_000,
  );

  test('the entity of a terminated lease is swept away', async () => {
    const { leaseId } = await issue('datadog', '2m');
    await world.client.workflow.getHandle(leaseId).terminate();
    await until(async () => (await entitiesOf('datadog', leaseId)).length === 0, SWEPT_WITHIN_MS);
  }, 60_000);

  test('an attempt that was stopped makes nothing more once another has taken over', async () => {
    expect(await wakeZombie()).toBe(1);
  }, 60_000);

  test('faults upon faults end all when it is healed, however often', async () => {
    const faults: readonly Fault[] = [
      { do: 'stop', process: 'worker-1', forMs: 60_000 },
      { do: 'kill', process: 'worker-1', downMs: 60_000 },
      { do: 'clock', process: 'worker-2', offsetMs: 600_000, forMs: 60_000 },
      { do: 'restart', process: 'api-2' },
      { do: 'temporal-stop', forMs: 60_000 },
      { do: 'temporal-kill', downMs: 60_000 },
      { do: 'clock', process: 'api-1', offsetMs: -600_000, forMs: 60_000 },
      { do: 'kill', process: 'worker-2', downMs: 0 },
      { do: 'provider-down', integration: 'aws', forMs: 60_000 },
      { do: 'provider-slow', integration: 'database', delayMs: 5_000, forMs: 60_000 },
      { do: 'provider-throttling', integration: 'datadog', forMs: 60_000 },
      { do: 'call', integration: 'aws', kind: 'hang', mutating: true, times: 3 },
      { do: 'stop-at-call', process: 'worker-1', integration: 'aws', phase: 'after', forMs: 60_000 },
    ];
    const injected: Promise<unknown>[] = [world.reload(true)];
    for (const fault of faults) {
      injected.push(world.inject(fault));
      await sleep(100);
    }
    await world.heal();
    await Promise.all(injected);
    await world.heal();
    const leases = await Promise.all(INTEGRATIONS.map((integration) => issue(integration, '2s')));
    for (const [index, lease] of leases.entries())
      expect(await world.use(INTEGRATIONS[index]!, lease.credential)).toBe('ok');
  }, 120_000);

  const FAULTS: readonly Fault[] = [
    { do: 'kill', process: 'worker-1', downMs: 500 },
    { do: 'stop-at-call', process: 'worker-1', integration: 'database', phase: 'after', forMs: 1_000 },
    { do: 'call', integration: 'datadog', kind: 'lost-answer', mutating: true, times: 2 },
    ...(isFull
      ? ([
          { do: 'kill', process: 'api-1', downMs: 500 },
          { do: 'restart', process: 'worker-2' },
          { do: 'restart', process: 'api-2' },
          { do: 'stop', process: 'worker-2', forMs: 6_000 },
          { do: 'stop-at-call', process: 'worker-2', integration: 'aws', phase: 'before', forMs: 6_000 },
          { do: 'kill-at-call', process: 'worker-1', integration: 'aws', phase: 'after' },
          { do: 'kill-at-call', process: 'worker-2', integration: 'datadog', phase: 'before' },
          { do: 'clock', process: 'worker-1', offsetMs: 600_000, forMs: 3_000 },
          { do: 'clock', process: 'api-1', offsetMs: -600_000, forMs: 3_000 },
          { do: 'temporal-kill', downMs: 2_000 },
          { do: 'temporal-stop', forMs: 5_000 },
          { do: 'provider-down', integration: 'aws', forMs: 2_000 },
          { do: 'provider-slow', integration: 'database', delayMs: 1_000, forMs: 2_000 },
          { do: 'provider-throttling', integration: 'datadog', forMs: 2_000 },
          { do: 'call', integration: 'aws', kind: 'hang-after', mutating: true, times: 1 },
          { do: 'call', integration: 'database', kind: '500-after', mutating: true, times: 2 },
          { do: 'call', integration: 'datadog', kind: 'throttle', mutating: false, times: 2 },
        ] satisfies Fault[])
      : []),
  ];

  test('each kind of fault meets something, and afterwards leases are issued', async () => {
    const rest = keepBusy();
    try {
      for (const fault of FAULTS) {
        const seen = await world.inject(fault);
        expect({ ...seen, fault: seen.fault.do }).toMatchObject({ fault: fault.do, hit: true });
        await world.heal();
        for (const integration of INTEGRATIONS) await issue(integration, '2s');
      }
    } finally {
      await rest();
    }
    await until(
      async () =>
        (await Promise.all(INTEGRATIONS.map((integration) => world.entities(integration)))).flat().length === 0,
      60_000,
    );
  }, 600_000);
});

const describeBreaks = isFull ? describe : describe.skip;

describeBreaks('a world with a broken', () => {
  afterEach(() => world.close(), 120_000);

  test('sweep keeps what a terminated lease leaves', async () => {
    world = await open('sweep');
    const { leaseId } = await issue('datadog', '2m');
    await world.client.workflow.getHandle(leaseId).terminate();
    await sleep(SWEPT_WITHIN_MS);
    expect(await entitiesOf('datadog', leaseId)).toHaveLength(1);
  }, 120_000);

  test('fence lets a stopped attempt go on beside its successor', async () => {
    world = await open('fence');
    expect(await wakeZombie()).toBeGreaterThan(1);
  }, 120_000);

  test('plan loses what a killed attempt has made', async () => {
    world = await open('plan');
    for (const integration of INTEGRATIONS) {
      const killed = world.inject({ do: 'kill-at-call', process: 'worker-1', integration, phase: 'after' });
      const lease = await issue(integration, '10s');
      expect(await world.use(integration, lease.credential)).toBe('ok');
      const held = await entitiesOf(integration, lease.leaseId);
      expect(held.length).toBeGreaterThan(1);
      await killed;
      await lease.revoke({ wait: true });
      expect(await entitiesOf(integration, lease.leaseId)).toHaveLength(held.length - 1);
    }
  }, 120_000);
});
