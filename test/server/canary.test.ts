import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTemporalServer } from '../../dev/temporal-server';
import { incidentId, LEASE_WORKFLOW } from '../../workflows/contract';
import { filesUnder, findLeaks, historyText, spellings } from '../support/canaries';
import { eventually, openLab, REQUEST } from '../support/lab';
import { startProgram } from '../support/program';
import { provided } from '../support/stack';
import { startWebhookReceiver } from '../support/webhook-receiver';

// What a faulty provider repeats in every error, as AWS does with session tokens in signature errors.
const ECHOED = 'FwoGZXIvYXdzCANARYSESSIONTOKENxyz0123456789';
const HOOK_PATH = 'T0000/CANARYWEBHOOKPATHxyz0123456789';
const HOOK_SECRET = 'CANARYWEBHOOKSECRETxyz0123456789';

test('no credential is found in histories, visibility, logs, metrics, audit, alerts, commands or on disk', async () => {
  const { tools, aws, directory: stackDirectory } = provided();
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  const server = await startTemporalServer({
    binary: tools.temporal,
    databaseFile: join(directory, 'temporal.db'),
    headless: true,
    logFile: join(directory, 'temporal.log'),
  });
  const temporal = { address: server.address, namespace: server.namespace };
  const receiver = await startWebhookReceiver();
  const lab = await openLab({
    temporal,
    echo: ECHOED,
    environment: {
      LEASEHOLD_LOG_LEVEL: 'debug',
      LAB_HOOK_URL: `${receiver.url}/${HOOK_PATH}`,
      LAB_HOOK_SECRET: HOOK_SECRET,
    },
    sweep: { grace: '0s' },
    alerts: { webhooks: [{ url: 'env:LAB_HOOK_URL', format: 'json', secret: 'env:LAB_HOOK_SECRET' }] },
  });
  const auditFile = join(lab.directory, 'audit.jsonl');
  const observed = { LEASEHOLD_AUDIT_FILE: auditFile, LEASEHOLD_METRICS: '127.0.0.1:0' };
  const command = async (...args: string[]): Promise<string> => {
    const options = { environment: { ...lab.environment, LEASEHOLD_CONFIG: lab.configFile }, directory };
    const { stdout, stderr } = await startProgram('cli/main.js', args, options).ended;
    return stdout + stderr;
  };
  const found = new Map<string, string>();
  try {
    const worker = await lab.startWorker([], observed);
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    found.set('leased key', lease.credential['SECRET_ACCESS_KEY']!);
    found.set("the orchestrator's key", aws.secretAccessKey);
    found.set('what the provider echoed', ECHOED);
    found.set('path of the webhook', HOOK_PATH);
    found.set('secret of the webhook', HOOK_SECRET);

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
    const successor = await lab.startWorker([], observed);
    await lease.revoke({ reason: 'end', wait: true });

    receiver.answer(500);
    lab.proxy.fault({ operation: 'DeleteUser', kind: 'error', status: 403, code: 'AccessDenied', times: 1_000 });
    const stuck = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    found.set('key of a lease that became stuck', stuck.credential['SECRET_ACCESS_KEY']!);
    await stuck.revoke();
    const metricsOfWorker = `${/"metrics":"(http:[^"]+)"/.exec(successor.output())![1]!}/metrics`;
    await eventually(
      async () => /alerts_failed_total\{[^}]*\} [1-9]/.test(await (await fetch(metricsOfWorker)).text()),
      'an alert that is not taken',
    );
    const checked = await command('check');
    expect(checked).toContain('iam:DeleteUser');
    const orphan = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    found.set('key of a lease that was terminated', orphan.credential['SECRET_ACCESS_KEY']!);
    await lab.handle(orphan.leaseId).terminate();
    const unswept = await command('sweep');
    expect(unswept).toContain(`failed leasehold-`);
    lab.proxy.clearFaults();
    receiver.answer(200);
    await lab.outcome(stuck.leaseId);
    lab.proxy.fault({ operation: 'ListUsers', kind: 'error', status: 403, code: 'SignatureDoesNotMatch' });
    const refused = await command('sweep');
    expect(refused).toContain('was stopped');
    const swept = await command('sweep');
    expect(swept).toContain(`removed leasehold-`);
    await lab.handle(incidentId('aws')).result();
    expect(receiver.received.map(({ path }) => path)).toEqual([`/${HOOK_PATH}`, `/${HOOK_PATH}`]);

    const places = new Map<string, string>([['error given to the caller', show(failed)]]);
    places.set('lease as printed', show(lease) + show(retried));
    places.set('commands', checked + unswept + refused + swept);
    places.set('alerts', receiver.received.map(({ headers, body }) => JSON.stringify(headers) + body).join('\n'));
    places.set('metrics of the worker', await (await fetch(metricsOfWorker)).text());
    for await (const execution of lab.client.workflow.list()) {
      const handle = lab.client.workflow.getHandle(execution.workflowId, execution.runId);
      places.set(`visibility of ${execution.workflowId}`, show(execution));
      places.set(`${execution.type} history of ${execution.workflowId}`, historyText(await handle.fetchHistory()));
      const result: unknown = await handle.result().catch((error: unknown) => error);
      places.set(`result of ${execution.workflowId}`, show(result) + historyText(result));
      if (execution.type === LEASE_WORKFLOW && execution.workflowId !== orphan.leaseId)
        places.set(`query of ${execution.workflowId}`, show(await handle.query('lease')));
    }
    const histories = (type: string): number =>
      [...places.keys()].filter((place) => place.startsWith(`${type} history`)).length;
    expect(['lease', 'incident', 'sweep'].map(histories)).toEqual([5, 1, 3]);
    expect(places.get('metrics of the worker')).toContain('leasehold_alerts_failed_total{');
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
    expect(places.get(auditFile)).toContain('/stuck');

    expect(findLeaks(found, places)).toEqual([]);
  } finally {
    await lab.close();
    await receiver.close();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}, 180_000);

test('the search finds a canary that is there', () => {
  const text = historyText({ events: [{ data: Buffer.from(JSON.stringify({ a: ECHOED })) }] });
  expect(spellings(ECHOED).some((spelling) => text.includes(spelling))).toBe(true);
});

function show(value: unknown): string {
  const own = value instanceof Error ? `${String(value.stack)} ${JSON.stringify(Object.entries(value))}` : '';
  return `${own} ${JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))}`;
}
