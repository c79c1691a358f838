import type { HttpIssueRequest, HttpLeases, Lease, OfferedSecret } from '../../../client/http';
import { LeaseError } from '../../../client/http';
import { checkTtlOf, giveBack, leaseTogether } from '../../../cli/together';

const PLACE = { project: 'backend', config: 'prd' };
const EXPIRES_AT = new Date('2030-01-01T00:00:00Z');

/** Leases of which some cannot be had, or cannot be revoked. Those that are not told of are issued only when called off. */
function fake(fates: Readonly<Record<string, 'issued' | 'refused' | 'lasting'>>): {
  readonly leases: HttpLeases;
  readonly held: Set<string>;
} {
  const held = new Set<string>();
  const issue = async ({ dynamicSecret: name, signal }: HttpIssueRequest): Promise<Lease> => {
    const fate = fates[name];
    if (fate === 'refused') throw new LeaseError('ProviderRefused' as LeaseError['code'], 'Not today.');
    if (fate === undefined) {
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      throw new LeaseError('Aborted', 'The caller aborted the issue of a lease.');
    }
    held.add(name);
    const revoke = async (): Promise<void> => {
      if (fate === 'lasting') throw new LeaseError('Unavailable', 'Nobody answered.');
      held.delete(name);
    };
    return { leaseId: name.toLowerCase(), expiresAt: EXPIRES_AT, revoke } as unknown as Lease;
  };
  return { leases: { issue } as unknown as HttpLeases, held };
}

const ask = (leases: HttpLeases, names: readonly string[], signal = new AbortController().signal) =>
  leaseTogether(leases, { place: PLACE, names, ttl: undefined, signal });

test('all are leased at the same time, and handed out by name in their order', async () => {
  const { leases } = fake({ A: 'issued', B: 'issued' });
  expect([...(await ask(leases, ['B', 'A'])).keys()]).toEqual(['B', 'A']);
  expect((await ask(leases, [])).size).toBe(0);
});

test('if one cannot be had the others are called off or revoked, and the one is named', async () => {
  const { leases, held } = fake({ A: 'issued', B: 'refused' });
  await expect(ask(leases, ['A', 'B', 'SLOW'])).rejects.toThrow(
    'B: Not today. None of the others was handed out either.',
  );
  expect(held).toEqual(new Set());
  await expect(ask(leases, ['B'])).rejects.toThrow(/^B: Not today\.$/);
});

test('a signal leaves no lease, even if all were issued by then', async () => {
  const { leases, held } = fake({ A: 'issued' });
  await expect(ask(leases, ['A'], AbortSignal.abort())).rejects.toMatchObject({ code: 'Aborted' });
  expect(held).toEqual(new Set());
  const controller = new AbortController();
  const asked = ask(leases, ['A', 'SLOW'], controller.signal);
  controller.abort();
  await expect(asked).rejects.toMatchObject({ code: 'Aborted' });
  expect(held).toEqual(new Set());
});

test('of what cannot be revoked it is told when it ends', async () => {
  const { leases, held } = fake({ A: 'issued', B: 'lasting' });
  const made = await ask(leases, ['A', 'B']);
  const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    expect(await giveBack(made.values(), 'a test')).toBe(false);
    expect(write.mock.calls).toEqual([
      ['Lease b could not be revoked and ends at 2030-01-01T00:00:00.000Z. Nobody answered.\n'],
    ]);
  } finally {
    write.mockRestore();
  }
  expect(held).toEqual(new Set(['B']));
});

test('a TTL must be in the range of each dynamic secret that is wanted', () => {
  const secrets = [offer('ONE', 60_000), offer('TWO', 30_000)];
  expect(() => {
    checkTtlOf(secrets, 60);
  }).toThrow(/^--ttl, for TWO: .*from 1s to 30s.* Nothing was leased\.$/);
  checkTtlOf(secrets, 30);
  checkTtlOf(secrets, undefined);
});

function offer(dynamicSecret: string, maxTtlMs: number): OfferedSecret {
  return { ...PLACE, dynamicSecret, fields: [], flatNames: [], defaultTtlMs: 10_000, minTtlMs: 1_000, maxTtlMs };
}
