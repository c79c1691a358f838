import { connectHttpLeases } from '../../client/http';
import { keep } from '../../client/keep';
import type { KeepOptions, Kept } from '../../client/keep';
import type { Lease, LeaseError } from '../../client/leases';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { eventually, pause } from '../support/lab';

let lab: ApiLab;

beforeAll(async () => {
  lab = await openApiLab({
    dynamicSecrets: {
      BRIEF: { integration: 'memory', min_ttl: '1s', default_ttl: '3s', max_ttl: '6s' },
      // With two seconds between the replacement of a lease and its end, however busy the machine.
      CAPPED: { integration: 'memory', min_ttl: '1s', default_ttl: '6s', max_ttl: '12s' },
    },
  });
}, 60_000);

const open = new Set<Pool>();

afterEach(async () => {
  lab.provider.heal();
  await Promise.all([...open].map((pool) => pool.stop()));
  lab.provider.before = () => undefined;
  await eventually(async () => lab.provider.entities.size === 0, 'everything to be removed');
});

afterAll(() => lab.close());

/** Keeps a credential in use by a pool of callers, each of which asks the provider again and again whether it is still good. */
interface Pool {
  readonly kept: Kept;
  /** Leases in the order in which they were handed over. */
  readonly handed: Lease[];
  readonly errors: unknown[];
  readonly calls: () => { readonly good: number; readonly refused: number };
  /** Ends the callers, then the keeping. */
  stop(): Promise<void>;
}

const REQUEST = { project: 'backend', config: 'prd', dynamicSecret: 'TOKEN', ttl: '3s' };

async function openPool(
  transport: 'Temporal' | 'HTTP',
  change: Partial<typeof REQUEST> = {},
  options: Partial<KeepOptions> = {},
  ask: typeof fetch = fetch,
): Promise<Pool> {
  const handed: Lease[] = [];
  const errors: unknown[] = [];
  let good = 0;
  let refused = 0;
  let isOpen = true;
  const request = { ...REQUEST, ...change };
  const whole: KeepOptions = {
    overlapMs: 300,
    onError: (error) => errors.push(error),
    ...options,
    onCredential: async (lease) => {
      await options.onCredential?.(lease);
      handed.push(lease);
    },
  };
  const kept =
    transport === 'HTTP'
      ? await keep(connectHttpLeases({ url: lab.url, token: lab.tokens['ci']!, fetch: ask }), request, whole)
      : await keep(lab.leases, { ...request, holder: 'pool' }, whole);
  const callers = Array.from({ length: 5 }, async () => {
    while (isOpen) {
      // A call begins with the credential in use and ends a little later.
      const token = handed.at(-1)!.credential['TOKEN']!;
      const leaseId = token.slice('canary-'.length);
      const isGood = lab.provider.of(leaseId).length > 0;
      await pause(20);
      if (isGood && lab.provider.of(leaseId).length > 0) good += 1;
      else refused += 1;
    }
  });
  const pool: Pool = {
    kept,
    handed,
    errors,
    calls: () => ({ good, refused }),
    stop: async () => {
      open.delete(pool);
      isOpen = false;
      await Promise.all(callers);
      await kept.close();
    },
  };
  open.add(pool);
  return pool;
}

const TRANSPORTS = ['Temporal', 'HTTP'] as const;

test('pools work through five TTLs on leases that are extended, over either transport, and no call fails', async () => {
  const pools = await Promise.all(TRANSPORTS.map((transport) => openPool(transport, { ttl: '4s' })));
  await pause(20_000);
  for (const pool of pools) {
    expect(pool.kept.lease).toBe(pool.handed.at(-1));
    expect(pool.kept.expiresAt.getTime()).toBeGreaterThan(Date.now());
    await pool.stop();
    expect(pool.calls().refused).toBe(0);
    expect(pool.calls().good).toBeGreaterThan(200);
    expect(lab.events(pool.handed[0]!.leaseId)).toContain('extended');
    expect(await lab.outcome(pool.kept.lease.leaseId)).toMatchObject({ state: 'revoked', reason: 'closed' });
  }
}, 60_000);

test('at the maximum TTL another lease takes over before the old one ends, which is then revoked', async () => {
  const request = { dynamicSecret: 'CAPPED', ttl: '6s' };
  const pools = await Promise.all(TRANSPORTS.map((transport) => openPool(transport, request)));
  for (const pool of pools) {
    await eventually(async () => pool.handed.length === 3, 'two replacements', 40_000);
    const [first, second, third] = pool.handed;
    expect(pool.kept.lease).toBe(third);
    await eventually(async () => lab.provider.of(second!.leaseId).length === 0, 'the second lease to be removed');
    await pool.stop();
    expect(pool.calls().refused).toBe(0);
    for (const old of [first!, second!]) {
      expect(await lab.outcome(old.leaseId)).toMatchObject({ state: 'revoked', reason: 'replaced' });
    }
    expect(await lab.outcome(third!.leaseId)).toMatchObject({ state: 'revoked', reason: 'closed' });
  }
}, 60_000);

test('an API that is not reached for a while is waited for', async () => {
  let isDown = false;
  const pool = await openPool('HTTP', { ttl: '6s' }, {}, (...given) =>
    isDown ? Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } })) : fetch(...given),
  );
  isDown = true;
  await eventually(async () => pool.errors.length > 0, 'the outage to be told');
  isDown = false;
  await eventually(async () => pool.kept.expiresAt.getTime() - Date.now() > 4_000, 'the lease to be fresh again');
  await pool.stop();
  expect(['Timeout', 'Unavailable']).toContain((pool.errors[0] as LeaseError).code);
  expect(pool.calls().refused).toBe(0);
});

test('an outage of the provider that is shorter than what is left is ridden out, and told', async () => {
  const pool = await openPool('Temporal', { ttl: '9s' });
  await pause(5_000);
  lab.provider.fail('Unavailable', 'extend', 'provision');
  await eventually(async () => pool.errors.length > 0, 'the outage to be told');
  lab.provider.heal();
  await eventually(async () => pool.kept.expiresAt.getTime() - Date.now() > 4_000, 'the lease to be fresh again');
  await pool.stop();
  expect(pool.calls().refused).toBe(0);
});

test('where extending fails but issuing works, another lease takes over in time', async () => {
  lab.provider.fail('Refused', 'extend');
  const pool = await openPool('HTTP', { ttl: '6s' });
  await eventually(async () => pool.handed.length === 2, 'a replacement');
  await pool.stop();
  expect(pool.calls().refused).toBe(0);
  expect(pool.errors.map((error) => (error as LeaseError).code)).toContain('Refused');
});

test('after an outage that outlived the lease, which is told, a new credential comes by itself', async () => {
  const pool = await openPool('Temporal');
  lab.provider.fail('Unavailable', 'extend', 'provision');
  const gap = (): boolean => pool.errors.some((error) => (error as LeaseError).message.includes('no other one yet'));
  await eventually(async () => gap(), 'the gap to be told');
  lab.provider.heal();
  await eventually(async () => pool.handed.length === 2, 'a new credential');
  expect(lab.provider.of(pool.handed[1]!.leaseId)).toHaveLength(1);
  await pool.stop();
});

test('a lease that somebody revoked is replaced when that is noticed', async () => {
  const pool = await openPool('HTTP');
  await lab.leases.revoke(pool.handed[0]!.leaseId, { wait: true });
  await eventually(async () => pool.handed.length === 2, 'a replacement');
  expect(pool.errors[0]).toMatchObject({ code: 'LeaseEnded', leaseId: pool.handed[0]!.leaseId });
  await pool.stop();
});

test('a credential that could not be taken over is given back, and the old one goes on meanwhile', async () => {
  let attempts = 0;
  const pool = await openPool(
    'Temporal',
    { dynamicSecret: 'CAPPED', ttl: '6s' },
    {
      onCredential: () => {
        attempts += 1;
        if (attempts === 2) throw new Error('no connection with it');
      },
    },
  );
  await eventually(async () => pool.handed.length === 2, 'a replacement', 20_000);
  expect(attempts).toBe(3);
  expect(pool.errors).toContainEqual(new Error('no connection with it'));
  await pool.stop();
  expect(pool.calls().refused).toBe(0);
});

test('the old lease is not revoked while the new credential is still being taken over', async () => {
  let calls = 0;
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const pool = await openPool(
    'Temporal',
    { dynamicSecret: 'BRIEF' },
    {
      overlapMs: 1,
      onCredential: async () => {
        calls += 1;
        if (calls === 2) await gate;
      },
    },
  );
  await eventually(async () => calls === 2, 'the hand-over to begin');
  await pause(300);
  expect(lab.provider.entities.size).toBe(2);
  letGo();
  await eventually(async () => lab.provider.of(pool.handed[0]!.leaseId).length === 0, 'the old one to be removed');
  await pool.stop();
  expect(pool.calls().refused).toBe(0);
});

test('where no other credential can be taken over, a lease at its limit is left to its end, which is told once', async () => {
  const limits: unknown[][] = [];
  const pool = await openPool(
    'HTTP',
    { dynamicSecret: 'BRIEF', ttl: '6s' },
    {
      onLimit: (...given) => {
        limits.push(given);
        throw new Error('of no matter');
      },
    },
  );
  const { lease } = pool.kept;
  await eventually(async () => limits.length > 0, 'the limit to be told');
  expect(limits[0]).toEqual([expect.objectContaining({ code: 'InvalidTtl' }), lease, lease.expiresAt]);
  expect(lab.provider.of(lease.leaseId)).toHaveLength(1);
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'expired' });
  expect([limits.length, pool.handed.length, pool.errors]).toEqual([1, 1, []]);
  await pool.stop();
}, 40_000);

test('a lease that is to be left is extended for as long as that is possible, through an outage too', async () => {
  const limits: unknown[] = [];
  const pool = await openPool('Temporal', { ttl: '15s' }, { onLimit: (refusal) => limits.push(refusal) });
  const before = lab.provider.calls.extend;
  lab.provider.fail('Unavailable', 'extend');
  await eventually(async () => lab.provider.calls.extend > before, 'an extension to fail');
  lab.provider.heal();
  await eventually(async () => pool.kept.expiresAt.getTime() - Date.now() > 10_000, 'the lease to be fresh again');
  expect([limits, pool.handed.length]).toEqual([[], 1]);
  await pool.stop();
  expect(pool.calls().refused).toBe(0);
}, 60_000);

test('closing revokes, also by a signal, and nothing is handed over any more', async () => {
  const abort = new AbortController();
  const pool = await openPool('HTTP', { dynamicSecret: 'BRIEF' }, { signal: abort.signal });
  await eventually(async () => pool.handed.length === 2, 'a replacement');
  abort.abort();
  await eventually(async () => lab.provider.entities.size === 0, 'both to be removed');
  const { length } = pool.handed;
  await pause(500);
  expect(pool.handed).toHaveLength(length);
  await pool.stop();
});

test('closing while another lease is being made leaves nothing of it', async () => {
  const pool = await openPool('Temporal', { dynamicSecret: 'BRIEF' });
  const reached = new Promise<void>((resolve) => {
    lab.provider.before = async (verb) => {
      if (verb !== 'provision') return;
      resolve();
      await pause(500);
    };
  });
  await reached;
  await pool.stop();
  expect(pool.handed).toHaveLength(1);
});

test('a first credential that is refused, or not taken over, fails the call and leaves nothing', async () => {
  await expect(openPool('HTTP', { dynamicSecret: 'NONE' })).rejects.toMatchObject({ code: 'UnknownDynamicSecret' });
  const refused = openPool(
    'HTTP',
    {},
    {
      onCredential: () => {
        throw new Error('no thanks');
      },
    },
  );
  await expect(refused).rejects.toThrow('no thanks');
});

test('what cannot be kept is refused by name', async () => {
  const onCredential = (): void => undefined;
  const request = { ...REQUEST, holder: 'pool' };
  for (const [field, given, options] of [
    ['idempotencyKey', { ...request, idempotencyKey: 'x' }, { onCredential }],
    ['onCredential', request, {}],
    ['onError', request, { onCredential, onError: 5 }],
    ['onLimit', request, { onCredential, onLimit: 5 }],
    ['overlapMs', request, { onCredential, overlapMs: -1 }],
    ['signal', request, { onCredential, signal: {} }],
  ] as const) {
    await expect(keep(lab.leases, given as never, options as never)).rejects.toMatchObject({
      code: 'InvalidInput',
      field,
    });
  }
});
