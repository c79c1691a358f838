import { keep } from '../../../client/keep';
import type { KeepOptions, Kept } from '../../../client/keep';
import { LeaseError } from '../../../client/leases';
import type { IssueRequest, Lease } from '../../../client/leases';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

interface Fake {
  readonly kept: Kept;
  /** When each extension was asked for, in seconds from the start, and for how many. */
  readonly asked: (readonly [at: number, seconds: number])[];
  readonly handed: Lease[];
}

/** Keeps leases of one hour at a server that extends each until its maximum. Nothing takes time unless it is said. */
async function open(maxMs: number, options: Partial<KeepOptions> = {}, issueTakesMs = 0): Promise<Fake> {
  const asked: [number, number][] = [];
  const handed: Lease[] = [];
  const since = performance.now();
  const issue = async (): Promise<Lease> => {
    const issuedAt = Date.now();
    await new Promise((resolve) => setTimeout(resolve, issueTakesMs));
    let endsAt = issuedAt + HOUR;
    return {
      leaseId: `lease-${handed.length}`,
      expiresAt: new Date(endsAt),
      extend: async (ttl: number) => {
        asked.push([Math.round((performance.now() - since) / SECOND), ttl]);
        const wanted = Date.now() + ttl * SECOND;
        if (Date.now() >= endsAt) throw new LeaseError('LeaseEnded', 'It has ended.');
        if (wanted > issuedAt + maxMs) throw new LeaseError('InvalidTtl', 'It is at its maximum.');
        endsAt = wanted;
        return new Date(endsAt);
      },
      revoke: async () => undefined,
    } as unknown as Lease;
  };
  const keeping = keep<IssueRequest>(
    { issue },
    { project: 'backend', config: 'prd', dynamicSecret: 'TOKEN', ttl: '1h', holder: 'test' },
    {
      ...options,
      onCredential: (lease) => {
        handed.push(lease);
      },
    },
  );
  await jest.advanceTimersByTimeAsync(issueTakesMs);
  return { kept: await keeping, asked, handed };
}

test('with the maximum TTL known, the last extension goes as far as that, and then the lease is left or replaced', async () => {
  const limits: Date[] = [];
  const left = await open(1.5 * HOUR, { maxTtl: '90m', onLimit: (_, __, end) => limits.push(end) });
  const start = Date.now();
  await jest.advanceTimersByTimeAsync(2 * HOUR);
  expect(limits.map((end) => (end.getTime() - start) / SECOND)).toEqual([expect.closeTo(1.5 * 3_600, -1)]);
  // One that wins something, and one that is refused.
  expect(left.asked).toHaveLength(2);
  await left.kept.close();

  const unknown = await open(1.5 * HOUR, { onLimit: (_, __, end) => limits.push(end) });
  const second = Date.now();
  await jest.advanceTimersByTimeAsync(2 * HOUR);
  expect(limits[1]!.getTime() - second).toBe(HOUR);
  await unknown.kept.close();

  const replaced = await open(1.5 * HOUR, { maxTtl: '90m' });
  await jest.advanceTimersByTimeAsync(1.1 * HOUR);
  expect(replaced.handed).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(0.2 * HOUR);
  expect(replaced.handed).toHaveLength(2);
  await replaced.kept.close();
});

test('a lease whose issue took long is extended as long before its end as any other', async () => {
  const { kept, asked } = await open(24 * HOUR, {}, HOUR / 2);
  await jest.advanceTimersByTimeAsync(HOUR / 4);
  expect(asked).toEqual([[expect.closeTo(2_400, -3), 3_600]]);
  await kept.close();
});

test('after the machine has slept, it is seen at once what became of the lease', async () => {
  const errors: unknown[] = [];
  const { kept, handed, asked } = await open(24 * HOUR, { onError: (error) => errors.push(error) });
  await jest.advanceTimersByTimeAsync(60 * SECOND);
  expect(asked).toEqual([]);
  // The clock goes on and the timers do not.
  jest.setSystemTime(Date.now() + 8 * HOUR);
  await jest.advanceTimersByTimeAsync(15 * SECOND);
  expect(handed).toHaveLength(2);
  expect(errors).toEqual([expect.objectContaining({ code: 'LeaseEnded' })]);
  await kept.close();
});

test('where no other lease can take over, a slow answer to an extension is waited for', async () => {
  for (const [options, expected] of [
    [{ onLimit: () => undefined }, 5 * SECOND],
    [{}, 500],
  ] as const) {
    const waits: number[] = [];
    const lease = {
      leaseId: 'lease',
      expiresAt: new Date(Date.now() + 3 * SECOND),
      extend: async (_: number, { timeoutMs }: { timeoutMs: number }) => {
        waits.push(timeoutMs);
        return new Date(Date.now() + 3 * SECOND);
      },
      revoke: async () => undefined,
    } as unknown as Lease;
    const kept = await keep<IssueRequest>(
      { issue: async () => lease },
      { project: 'backend', config: 'prd', dynamicSecret: 'TOKEN', ttl: '3s', holder: 'test' },
      { ...options, onCredential: () => undefined },
    );
    await jest.advanceTimersByTimeAsync(5 * SECOND);
    await kept.close();
    expect(waits.length).toBeGreaterThan(0);
    for (const wait of waits) expect(Math.abs(wait - expected)).toBeLessThanOrEqual(100);
  }
});
