import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTemporalServer } from '../../dev/temporal-server';
import { incidentId, LEASE_WORKFLOW } from '../../workflows/contract';
import { historyText } from '../support/canaries';
import { eventually, openLab, REQUEST } from '../support/lab';
import { startLeakHunt } from '../support/leak-hunt';
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
  const hunt = startLeakHunt('AWS IAM');
  const { canaries } = hunt;
  try {
    const worker = await lab.startWorker([], observed);
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    canaries.add('leased key', lease.credential['SECRET_ACCESS_KEY']!);
    canaries.add("the orchestrator's key", aws.secretAccessKey);
    canaries.add('what the provider echoed', ECHOED);
    canaries.add('path of the webhook', HOOK_PATH);
    canaries.add('secret of the webhook', HOOK_SECRET);

    await lease.extend('20m');
    lab.proxy.fault({ operation: 'CreateUser', kind: 'error', status: 403, code: 'SignatureDoesNotMatch' });
    const failed = await lab.leases.issue({ ...REQUEST, ttl: '10m' }).catch((error: unknown) => error as Error);
    lab.proxy.fault({ operation: 'CreateAccessKey', kind: '500-after' });
    const retried = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    canaries.add('key leased after a lost answer', retried.credential['SECRET_ACCESS_KEY']!);
    lab.proxy.fault({ operation: 'DeleteUser', kind: 'error', status: 403, code: 'AccessDenied', times: 2 });
    await lab.leases.revoke(retried.leaseId, { wait: true });
    lab.proxy.fault({ operation: 'DeleteAccessKey', kind: 'html-503' });
    await worker.kill();
    const successor = await lab.startWorker([], observed);
    // Its end is waited for later: Temporal tries the worker that is gone first, for ten seconds.
    await lease.revoke({ reason: 'end' });

    receiver.answer(500);
    lab.proxy.fault({ operation: 'DeleteUser', kind: 'error', status: 403, code: 'AccessDenied', times: 1_000 });
    const stuck = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    canaries.add('key of a lease that became stuck', stuck.credential['SECRET_ACCESS_KEY']!);
    await stuck.revoke();
    const metricsOfWorker = `${/"metrics":"(http:[^"]+)"/.exec(successor.output())![1]!}/metrics`;
    await eventually(
      async () => /alerts_failed_total\{[^}]*\} [1-9]/.test(await (await fetch(metricsOfWorker)).text()),
      'an alert that is not taken',
    );
    const checked = await command('check');
    expect(checked).toContain('iam:DeleteUser');
    const orphan = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    canaries.add('key of a lease that was terminated', orphan.credential['SECRET_ACCESS_KEY']!);
    await lab.handle(orphan.leaseId).terminate();
    const unswept = await command('sweep');
    expect(unswept).toContain(`failed leasehold-`);
    lab.proxy.clearFaults();
    receiver.answer(200);
    await Promise.all([stuck, lease].map(({ leaseId }) => lab.outcome(leaseId)));
    lab.proxy.fault({ operation: 'ListUsers', kind: 'error', status: 403, code: 'SignatureDoesNotMatch' });
    const refused = await command('sweep');
    expect(refused).toContain('was stopped');
    const swept = await command('sweep');
    expect(swept).toContain(`removed leasehold-`);
    await lab.handle(incidentId('aws')).result();
    expect(receiver.received.map(({ path }) => path)).toEqual([`/${HOOK_PATH}`, `/${HOOK_PATH}`]);

    hunt.value('errors of the library', 'a refused issue', failed);
    hunt.control('errors of the library', (failed as Error).message);
    for (const each of [lease, retried]) hunt.printed('leases as printed', each.leaseId, each);
    hunt.control('leases as printed', lease.leaseId);
    hunt.place('output of commands', 'all', checked + unswept + refused + swept);
    hunt.control('output of commands', 'failed leasehold-');
    hunt.place(
      'alerts',
      'all',
      receiver.received.map(({ headers, body }) => JSON.stringify(headers) + body).join('\n'),
    );
    hunt.control('alerts', 'cannot be removed');
    hunt.place('metrics', 'worker', await (await fetch(metricsOfWorker)).text());
    hunt.control('metrics', 'leasehold_alerts_failed_total{');
    const types: string[] = [];
    for await (const execution of lab.client.workflow.list()) {
      const handle = lab.client.workflow.getHandle(execution.workflowId, execution.runId);
      types.push(execution.type);
      hunt.place('visibility', execution.workflowId, JSON.stringify(execution.raw) + historyText(execution.raw));
      hunt.place('histories', execution.workflowId, historyText(await handle.fetchHistory()));
      const result: unknown = await handle.result().catch((error: unknown) => error);
      hunt.value('queries and results', `result of ${execution.workflowId}`, result);
      if (execution.type === LEASE_WORKFLOW && execution.workflowId !== orphan.leaseId)
        hunt.value('queries and results', execution.workflowId, await handle.query('lease'));
    }
    const histories = (type: string): number => types.filter((each) => each === type).length;
    expect(['lease', 'sweep'].map(histories)).toEqual([5, 3]);
    // On a busy machine one may end and another begin.
    expect(histories('incident')).toBeGreaterThanOrEqual(1);
    for (const kind of ['visibility', 'histories', 'queries and results']) hunt.control(kind, lease.leaseId);
    const metrics = /Metrics:\s+(http\S+)/.exec(await readFile(join(directory, 'temporal.log'), 'utf8'))![1]!;
    hunt.place('metrics of Temporal', 'all', await (await fetch(metrics)).text());
    hunt.control('metrics of Temporal', 'persistence_requests');
    await successor.stop();
    hunt.place('logs', 'workers', lab.logs());
    hunt.control('logs', 'The worker is ready.');
    await server.stop();
    for (const root of [directory, lab.directory]) await hunt.files('files', root);
    // What else lies there is of other tests, and comes and goes.
    for (const log of ['temporal.log', 'aws-emulator.log']) {
      hunt.place('logs of servers', log, await readFile(join(stackDirectory, log)));
    }
    hunt.control('logs of servers', '"POST / HTTP/1.1"');
    hunt.control('files', lease.leaseId);
    expect(lab.logs()).toContain('Refused');
    expect(await readFile(auditFile, 'utf8')).toContain('/stuck');
    hunt.end();
  } finally {
    await lab.close();
    await receiver.close();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}, 180_000);
