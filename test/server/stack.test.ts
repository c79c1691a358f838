import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { Client, Connection } from '@temporalio/client';
import { tryBuckets, tryCall, tryIdentity } from '../../dev/aws-calls';
import { startAwsEmulator } from '../../dev/aws-emulator';
import { StartError } from '../../dev/process';
import { orchestratorEnvironment } from '../../dev/development';
import { tryQuery } from '../../dev/postgres-calls';
import { describeStack, StackRunning, startStack } from '../../dev/stack';
import type { Stack } from '../../dev/stack';
import { isTemporalAt, startTemporalServer } from '../../dev/temporal-server';
import { REQUIRED_ATTRIBUTES } from '../../temporal/search-attributes';
import { ATTRIBUTES } from '../../workflows/contract';
import { provided } from '../support/stack';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test('the server has every search attribute of a lease, and finds leases by it', async () => {
  const connection = await Connection.connect({ address: provided().temporal.address });
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
    expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(REQUIRED_ATTRIBUTES.map(({ name }) => name)));
    await connection.workflowService.countWorkflowExecutions({
      namespace: 'default',
      query: 'LeaseState = "active" AND LeaseExpiresAt < "2000-01-01T00:00:00Z"',
    });
  } finally {
    await connection.close();
  }
});

test('the emulator knows the orchestrator and refuses a wrong secret, an unknown key and what a policy does not allow', async () => {
  const { aws } = provided();
  const { url, region, accessKeyId, secretAccessKey } = aws;
  const key = { ACCESS_KEY_ID: accessKeyId, SECRET_ACCESS_KEY: secretAccessKey };
  expect(await tryIdentity(aws, key)).toBe('ok');
  expect(await tryIdentity(aws, { ...key, SECRET_ACCESS_KEY: 'wrong' })).toBe('SignatureDoesNotMatch');
  expect(await tryIdentity(aws, { ...key, ACCESS_KEY_ID: 'AKIAUNKNOWNUNKNOWN00' })).toBe('InvalidClientTokenId');
  const credentials = { accessKeyId, secretAccessKey: 'wrong' };
  const stranger = new IAMClient({ endpoint: url, region, maxAttempts: 1, credentials });
  expect(await tryCall(stranger, (iam) => iam.send(new CreateUserCommand({ UserName: 'x' })))).toBe(
    'SignatureDoesNotMatch',
  );
  expect(await tryBuckets(aws, key)).toBe('AccessDenied');
});

test('an emulator that cannot be started is told, and so is a port that another program holds', async () => {
  const logFile = join(directory, 'log');
  await expect(startAwsEmulator({ binary: '/bin/false', logFile })).rejects.toBeInstanceOf(StartError);
  const { url } = provided().aws;
  const other = await startAwsEmulator({ binary: provided().tools.moto, port: Number(new URL(url).port), logFile });
  expect(other.url).not.toBe(url);
  await other.stop();
  await expect(fetch(other.url)).rejects.toThrow();
});

test('a workflow outlives a stop, and a kill -9, of the server', async () => {
  const options = {
    binary: provided().tools.temporal,
    databaseFile: join(directory, 'temporal.db'),
    headless: true,
    logFile: join(directory, 'log'),
  };
  let server = await startTemporalServer(options);
  try {
    const port = Number(server.address.split(':')[1]);
    const start = { taskQueue: 'nobody', typedSearchAttributes: [{ key: ATTRIBUTES.state, value: 'active' }] };
    await withClient(server.address, (client) => client.workflow.start('lease', { ...start, workflowId: 'sleeper' }));
    for (const end of ['stop', 'kill'] as const) {
      await server[end]();
      expect(await isTemporalAt(server.address)).toBe(false);
      const { address } = server;
      server = await startTemporalServer({ ...options, port });
      expect(server.address).toBe(address);
      await withClient(address, async (client) => {
        const { status, typedSearchAttributes } = await client.workflow.getHandle('sleeper').describe();
        expect(status.name).toBe('RUNNING');
        expect(typedSearchAttributes.get(ATTRIBUTES.state)).toBe('active');
      });
    }
  } finally {
    await server.stop();
  }
}, 60_000);

async function withClient<T>(address: string, act: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await act(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

test('a stack on a directory runs once, tells where it is, keeps its ports, and writes no key down', async () => {
  const stateDirectory = join(directory, 'own');
  const recordFile = join(stateDirectory, 'stack.json');
  const portsFile = join(stateDirectory, 'state', 'ports.json');
  const said: string[] = [];
  const options = { stateDirectory, tools: provided().tools, say: (line: string) => said.push(line) };
  const first = await startStack(options);
  try {
    expect((await stat(recordFile)).mode & 0o777).toBe(0o600);
    for (const file of [recordFile, portsFile]) {
      const text = await readFile(file, 'utf8');
      for (const secret of Object.values(orchestratorEnvironment(first))) expect(text).not.toContain(secret);
    }
    for (const url of placesOf(first)) expect(said.join('\n')).toContain(url);
    expect((await fetch(first.temporal.uiUrl!)).ok).toBe(true);

    const second = await startStack(options).catch((error: unknown) => error as StackRunning);
    expect(second).toBeInstanceOf(StackRunning);
    const { pid, ...running } = (second as StackRunning).running;
    expect(pid).toBe(process.pid);
    for (const url of placesOf(first)) expect(describeStack(running).join('\n')).toContain(url);
  } finally {
    await first.stop();
  }
  expect(existsSync(recordFile)).toBe(false);
  expect(await isTemporalAt(first.temporal.address)).toBe(false);
  expect(await tryQuery(first.postgres.adminUrl, 'SELECT 1')).toBe('ECONNREFUSED');
  await expect(fetch(first.datadog.url)).rejects.toThrow();

  // What a stack leaves whose process was killed, and whose process id now belongs to another.
  const { address, namespace, uiUrl } = first.temporal;
  const stale = { pid: process.pid, temporal: { address, namespace, uiUrl }, aws: { url: first.aws.url } };
  await writeFile(recordFile, JSON.stringify(stale));
  const again = await startStack(options);
  await again.stop();
  expect(placesOf(again)).toEqual(placesOf(first));
}, 90_000);

/** Where the parts of a stack say that they are. */
function placesOf({ temporal, aws, postgres, datadog }: Stack): readonly string[] {
  const { host, port, database } = postgres;
  return [temporal.address, temporal.uiUrl!, aws.url, `${host}:${port}/${database}`, datadog.url];
}

test('a stack of which one part does not start leaves nothing behind', async () => {
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const stateDirectory = join(directory, 'own');
  for (const wrong of [{ moto: '/bin/false' }, { temporal: '/bin/false' }]) {
    const tools = { ...provided().tools, ...wrong };
    await expect(startStack({ stateDirectory, tools, say })).rejects.toThrow('/bin/false ended at its start');
    expect(existsSync(join(stateDirectory, 'stack.json'))).toBe(false);
  }
  expect(said).toEqual([]);
}, 60_000);
