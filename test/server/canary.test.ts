import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTemporalServer } from '../../dev/temporal-server';
import type { LeaseOutcome } from '../../workflows/contract';
import { historyText, spellings } from '../support/canaries';
import { openLab, REQUEST } from '../support/lab';
import { provided } from '../support/stack';

// What a faulty provider repeats in every error, as AWS does with session tokens in signature errors.
const ECHOED = 'FwoGZXIvYXdzCANARYSESSIONTOKENxyz0123456789';

test('no credential is found in histories, visibility, logs, metrics or on disk', async () => {
  const { tools, aws, directory: stackDirectory } = provided();
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  const server = await startTemporalServer({
    binary: tools.temporal,
    databaseFile: join(directory, 'temporal.db'),
    headless: true,
    logFile: join(directory, 'temporal.log'),
  });
  const temporal = { address: server.address, namespace: server.namespace };
  const lab = await openLab({ temporal, echo: ECHOED, environment: { LEASEHOLD_LOG_LEVEL: 'debug' } });
  const found = new Map<string, string>();
  try {
    const worker = await lab.startWorker();
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    found.set('leased key', lease.credential['SECRET_ACCESS_KEY']!);
    found.set("the orchestrator's key", aws.secretAccessKey);
    found.set('what the provider echoed', ECHOED);

    await lease.extend('20m');
    lab.proxy.fault({ operation: 'CreateUser', kind: 'error', status: 403, code: 'SignatureDoesNotMatch' });
    const failed = await lab.leases.issue({ ...REQUEST, ttl: '10m' }).catch((error: unknown) => error as Error);
    lab.proxy.fault({ operation: 'CreateAccessKey', kind: '500-after' });
    const retried = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    found.set('key leased after a lost answer', retried.credential['SECRET_ACCESS_KEY']!);
    lab.proxy.fault({ operation: 'DeleteUser', kind: 'error', status: 403, code: 'AccessDenied', times: 2 });
    await lab.leases.revoke(retried.leaseId, { wait: true });
    lab.proxy.fault({ operation: 'DeleteAccessKey', kind: 'html-503' });
    await worker.kill();
    const successor = await lab.startWorker();
    await lease.revoke({ reason: 'end', wait: true });

    const places = new Map<string, string>([['error given to the caller', show(failed)]]);
    places.set('lease as printed', show(lease) + show(retried));
    for await (const execution of lab.client.workflow.list()) {
      const handle = lab.client.workflow.getHandle(execution.workflowId, execution.runId);
      places.set(`visibility of ${execution.workflowId}`, show(execution));
      places.set(`history of ${execution.workflowId}`, historyText(await handle.fetchHistory()));
      places.set(`result of ${execution.workflowId}`, show((await handle.result()) as LeaseOutcome));
      places.set(`query of ${execution.workflowId}`, show(await handle.query('lease')));
    }
    expect([...places.keys()].filter((place) => place.startsWith('history')).length).toBe(3);
    const metrics = /Metrics:\s+(http\S+)/.exec(await readFile(join(directory, 'temporal.log'), 'utf8'))![1]!;
    places.set('metrics of Temporal', await (await fetch(metrics)).text());
    expect(places.get('metrics of Temporal')).toContain('persistence_requests');
    await successor.stop();
    places.set('logs of the workers', lab.logs());
    await server.stop();
    for (const root of [directory, lab.directory, stackDirectory]) {
      for (const file of await filesUnder(root)) places.set(file, (await readFile(file)).toString('latin1'));
    }
    expect([...places.keys()].some((place) => place.endsWith('temporal.db'))).toBe(true);
    expect(places.get('logs of the workers')).toContain('Refused');

    const leaks: string[] = [];
    for (const [place, text] of places) {
      for (const [name, value] of found) {
        if (spellings(value).some((spelling) => text.includes(spelling))) leaks.push(`${name} in ${place}`);
      }
    }
    expect(leaks).toEqual([]);
  } finally {
    await lab.close();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}, 90_000);

test('the search finds a canary that is there', () => {
  const text = historyText({ events: [{ data: Buffer.from(JSON.stringify({ a: ECHOED })) }] });
  expect(spellings(ECHOED).some((spelling) => text.includes(spelling))).toBe(true);
});

function show(value: unknown): string {
  const own = value instanceof Error ? `${String(value.stack)} ${JSON.stringify(Object.entries(value))}` : '';
  return `${own} ${JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))}`;
}

async function filesUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
