import { createBundle } from '../../../../cli/run/bundle';
import { createLedger } from '../../../../cli/run/ledger';
import type { HttpIssueRequest, HttpLeases, Lease, OfferedSecret } from '../../../../client/http';
import { LeaseError } from '../../../../client/http';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const MINUTE = 60_000;

/** As one, by default, three leases: of 15 minutes, of an hour that is the most there is, and of an hour that cannot be extended. */
const THREE = { BRIEF: 15, WHOLE: 60, FIXED: 60 };

async function open(minutesOf: Readonly<Record<string, number>> = THREE) {
  const asked: string[] = [];
  const issue = async ({ dynamicSecret, ttl }: HttpIssueRequest): Promise<Lease> => {
    const since = Date.now();
    return {
      leaseId: dynamicSecret.toLowerCase(),
      expiresAt: new Date(since + Number(ttl) * 1_000),
      credential: {},
      extend: async (seconds: number) => {
        asked.push(`${dynamicSecret} ${seconds / 60}m`);
        if (dynamicSecret === 'FIXED') throw new LeaseError('ExtensionLimit', 'It cannot be extended.');
        if (Date.now() + seconds * 1_000 > since + maxOf(dynamicSecret) * MINUTE) {
          throw new LeaseError('InvalidTtl', 'It is at its maximum.');
        }
        return new Date(Date.now() + seconds * 1_000);
      },
    } as unknown as Lease;
  };
  const maxOf = (name: string): number => ({ WHOLE: 60, SHORT: 16 })[name] ?? 24 * 60;
  const offer = (dynamicSecret: string, minutes: number): OfferedSecret => ({
    project: 'backend',
    config: 'prd',
    dynamicSecret,
    fields: [],
    flatNames: [],
    defaultTtlMs: minutes * MINUTE,
    minTtlMs: MINUTE,
    maxTtlMs: maxOf(dynamicSecret) * MINUTE,
  });
  const wanted = Object.entries(minutesOf).map(([name, minutes]) => ({ secret: offer(name, minutes), names: [] }));
  const bundle = createBundle(
    { issue } satisfies Pick<HttpLeases, 'issue'>,
    { place: { project: 'backend', config: 'prd' }, wanted, ttl: undefined },
    createLedger(),
    () => undefined,
  );
  return { bundle, lease: await bundle.issue(new AbortController().signal), asked };
}

test('of leases with other TTLs and maxima each is extended when it must be, and the first that cannot be ends that', async () => {
  const { bundle, lease, asked } = await open();
  expect([bundle.span, bundle.longest]).toEqual([15 * 60, 60 * 60]);
  const ends: number[] = [];
  for (let minutes = 10; minutes <= 40; minutes += 10) {
    jest.advanceTimersByTime(10 * MINUTE);
    ends.push((await lease.extend(15 * 60)).getTime() - Date.now());
  }
  expect(ends).toEqual(ends.map(() => 15 * MINUTE));
  // What lasts longer is asked for when its own time has come, and a refusal is of no matter while it lasts.
  expect(asked).toEqual([...Array<string>(4).fill('BRIEF 15m'), 'WHOLE 60m', 'FIXED 60m']);
  jest.advanceTimersByTime(10 * MINUTE);
  await expect(lease.extend(15 * 60)).rejects.toMatchObject({ code: 'InvalidTtl' });
});

test('a lease near its maximum is refused what it cannot have, and not extended by less as if that were all that was asked', async () => {
  const { lease, asked } = await open({ SHORT: 15 });
  jest.advanceTimersByTime(10 * MINUTE);
  await expect(lease.extend(15 * 60)).rejects.toMatchObject({ code: 'InvalidTtl' });
  expect((await lease.extend(6 * 60)).getTime() - Date.now()).toBe(6 * MINUTE);
  expect(asked).toEqual(['SHORT 15m', 'SHORT 6m']);
});
