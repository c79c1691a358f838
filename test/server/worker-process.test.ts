import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { REQUEST, useLab } from '../support/lab';
import type { Lab } from '../support/lab';
import { spawnService } from '../support/service-process';

let lab: Lab;

useLab(async (opened) => {
  lab = opened;
});

/** Runs the worker until it ends by itself. */
async function run(
  flags: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const main = join(__dirname, '../../dist/worker/main.js');
  const child = spawn(process.execPath, [main, ...flags], {
    cwd: lab.directory,
    env: {
      PATH: process.env['PATH'],
      TEMPORAL_ADDRESS: lab.address,
      TEMPORAL_NAMESPACE: lab.namespace,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const add = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

test('what is wrong with flags or configuration is said in one go, with exit code 2', async () => {
  const bad = join(lab.directory, 'bad.yaml');
  await writeFile(bad, 'version: 1\nintegrations: { aws: { type: azure } }\nsurprise: 1\n');
  const cases: [string[], Record<string, string>, RegExp][] = [
    [['--config', 'missing.yaml'], {}, /missing\.yaml.*--config/s],
    [['--config', bad], {}, /type.*must be one of.*surprise/s],
    [['--config', lab.configFile, '--integrations', 'nope'], {}, /nope.*aws/],
    [
      ['--config', lab.configFile, '--integrations', 'aws', '--workflows-only'],
      {},
      /--workflows-only.*cannot be used with.*--integrations/,
    ],
    [['--config', lab.configFile, '--integrations', 'aws,,'], {}, /separated by commas/],
    [['--surprise'], {}, /--surprise/],
    [['--config', lab.configFile], { LEASEHOLD_LOG_LEVEL: 'loud' }, /loud.*debug/],
  ];
  for (const [flags, environment, said] of cases) {
    const { code, output } = await run(flags, environment);
    expect(output).toMatch(said);
    expect(output).not.toMatch(/^ {4}at /m);
    expect(code).toBe(2);
  }
}, 60_000);

test('a Temporal that is not there is named, with exit code 1', async () => {
  const { code, output } = await run(['--config', lab.configFile], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect(output).toMatch(/127\.0\.0\.1:1.*TEMPORAL_ADDRESS/);
  expect(code).toBe(1);
});

test('a namespace without the search attributes ends the worker, with the command that adds them', async () => {
  const namespace = `${lab.namespace}-bare`;
  const day = { seconds: 86_400 as never, nanos: 0 };
  const { workflowService } = lab.client.connection;
  await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: day });
  const { code, output } = await run(['--config', lab.configFile], { TEMPORAL_NAMESPACE: namespace });
  expect(output).toContain('temporal operator search-attribute create');
  expect(output).toContain('LeaseExpiresAt');
  expect(code).toBe(1);
});

test('an orchestrator key that is not there refuses the issue, names the reference and makes nothing', async () => {
  lab.proxy.forget();
  const worker = await lab.startWorker([], { LAB_KEY: '' });
  await expect(lab.leases.issue({ ...REQUEST, ttl: '5m' })).rejects.toMatchObject({
    code: 'Refused',
    message: expect.stringContaining('env:LAB_KEY'),
  });
  expect(lab.proxy.calls).toEqual([]);
  expect(await worker.stop()).toBe(0);
});

test('workers can share the work: one runs workflows only, another serves an integration', async () => {
  // The first has no key of the provider at all.
  const workflows = await lab.startWorker(['--workflows-only'], { LAB_KEY: '', LAB_KEY_ID: '' });
  const aws = await lab.startWorker(['--integrations', 'aws']);
  expect(workflows.output()).toContain('"queues":["leasehold"]');
  expect(aws.output()).toContain('"queues":["aws/provision","aws/deprovision","aws/upkeep"]');
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '5m' });
  expect(await lease.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
});

test('a worker that is asked to end while it waits for a Temporal that says nothing ends at once, with exit code 0', async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const asked = once(silent, 'connection') as Promise<[Socket]>;
  const { port } = silent.address() as AddressInfo;
  const worker = spawnService('worker/main.js', 'The worker is ready.', ['--config', lab.configFile], {
    TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
    TEMPORAL_NAMESPACE: lab.namespace,
  });
  try {
    const [socket] = await asked;
    expect(await worker.stop()).toBe(0);
    expect(worker.output()).toContain('has taken up nothing');
    socket.destroy();
  } finally {
    await worker.kill();
    silent.close();
  }
});
