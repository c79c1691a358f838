import { MEMORY_REQUEST, openMemoryLab } from '../support/memory-lab';
import type { MemoryConfig, MemoryLab } from '../support/memory-lab';

let lab: MemoryLab;

async function start(config: MemoryConfig): Promise<void> {
  lab = await openMemoryLab(config);
  await lab.startWorker();
}

afterEach(() => lab.close());

function issue(holder = 'tester') {
  return lab.leases.issue({ ...MEMORY_REQUEST, holder, ttl: '10m' });
}

/** How ten requests at once were answered: lease ids, and codes of the refusals. */
async function issueTen(holder?: string): Promise<{ readonly ids: string[]; readonly codes: string[] }> {
  const answers = await Promise.allSettled(Array.from({ length: 10 }, () => issue(holder)));
  return {
    ids: answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.leaseId] : [])),
    codes: answers.flatMap((answer) =>
      answer.status === 'rejected' ? [(answer.reason as { code: string }).code] : [],
    ),
  };
}

test('a dynamic secret has no more live leases than it may, however many are asked for at once', async () => {
  await start({ dynamicSecret: { max_leases: 4 } });
  const { ids, codes } = await issueTen();
  expect(ids).toHaveLength(4);
  expect(new Set(codes)).toEqual(new Set(['QuotaExceeded']));
  expect(lab.provider.entities.size).toBe(4);
  expect(lab.provider.calls.provision).toBe(4);
  await lab.leases.revoke(ids[0]!, { wait: true });
  const next = await issue();
  await expect(issue()).rejects.toMatchObject({
    code: 'QuotaExceeded',
    message: expect.stringContaining('4 live leases of TOKEN'),
  });
  await lab.leases.revoke(next.leaseId, { wait: true });
}, 60_000);

test('a holder has no more live leases than it may, and takes none from others', async () => {
  await start({ dynamicSecret: { max_leases_per_holder: 2 } });
  const greedy = await issueTen(`"o'brien" \\ %`);
  expect(greedy.ids).toHaveLength(2);
  const modest = await issueTen('modest');
  expect(modest.ids).toHaveLength(2);
  expect(lab.provider.entities.size).toBe(4);
}, 60_000);

test('a paused integration refuses at once, and ends what it issued', async () => {
  lab = await openMemoryLab();
  const first = await lab.startWorker();
  const lease = await issue();
  await first.stop();
  await lab.startWorker({ config: { integration: { paused: true } } });
  await expect(issue()).rejects.toMatchObject({ code: 'Paused' });
  expect(lab.provider.calls.provision).toBe(1);
  expect(await lease.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
}, 60_000);

test('a provider without room refuses at once and in plain words, and nothing is made', async () => {
  lab = await openMemoryLab({ integration: { limits: { quota_reserve: 2 } } });
  lab.provider.quota = { what: 'tokens of the account', used: 95, limit: 100 };
  await lab.startWorker();
  const { ids, codes } = await issueTen();
  expect(ids).toHaveLength(3);
  expect(new Set(codes)).toEqual(new Set(['QuotaExceeded']));
  expect(lab.provider.calls.quota).toBe(1);
  await expect(issue()).rejects.toMatchObject({
    message: expect.stringMatching(/2 of 100 are left: tokens of the account, of which 2 are kept free/),
  });
  const failed = lab.audit.filter(({ event }) => event === 'failed');
  expect(failed).toHaveLength(8);
  expect(failed[0]).toMatchObject({ reason: expect.stringContaining('QuotaExceeded') });
  // By which somebody is told that there is no room.
  expect((await lab.metrics.text()).body).toMatch(
    /provider_errors_total\{.*verb="provision",type="QuotaExceeded"\} 8\n/,
  );
}, 60_000);
