import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { awsIam } from '../../../../activities/integrations/aws-iam/aws-iam';
import { openCredentials } from '../../../../activities/integrations/aws/credentials';

const environment = { ...process.env };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leasehold-'));
  process.env['AWS_CONFIG_FILE'] = join(folder, 'config');
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = join(folder, 'credentials');
  delete process.env['AWS_ACCESS_KEY_ID'];
  delete process.env['AWS_PROFILE'];
});

afterAll(async () => {
  process.env = environment;
  await rm(folder, { recursive: true });
});

afterEach(() => jest.useRealTimers());

function open(credentials: object) {
  return openCredentials(awsIam.connection.parse({ credentials }), (reference) => reference);
}

/** Waits for what other processes do, whatever time it is here. */
async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 5_000; !condition();) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise(setImmediate);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('a credential_process that hangs is given up and run again, and killed in the end', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance'] });
  const pidFile = join(folder, 'pid');
  const script = join(folder, 'script');
  await writeFile(
    script,
    `test -e ${pidFile} && exec echo '{ "Version": 1, "AccessKeyId": "KEY", "SecretAccessKey": "x" }'
     echo $$ > ${pidFile}.new && mv ${pidFile}.new ${pidFile}
     exec sleep 120`,
  );
  await writeFile(join(folder, 'config'), `[profile slow]\ncredential_process = sh ${script}\n`);
  const credentials = open({ profile: 'slow' });
  const failed = expect(credentials.provide()).rejects.toMatchObject({ type: 'Unavailable' });
  await until(() => existsSync(pidFile));
  const pid = Number(await readFile(pidFile, 'utf8'));
  await jest.advanceTimersByTimeAsync(10_000);
  await failed;
  expect(await credentials.provide()).toMatchObject({ accessKeyId: 'KEY' });
  expect(isRunning(pid)).toBe(true);
  await jest.advanceTimersByTimeAsync(60_000);
  await until(() => !isRunning(pid));
});

test.each([
  ['a profile', { profile: 'leases' }],
  ['the default chain', {}],
])('when AWS refuses the key that %s gave, the shared files are read again', async (_, settings) => {
  const write = (id: string) =>
    writeFile(
      join(folder, 'credentials'),
      ['leases', 'default'].map((name) => `[${name}]\naws_access_key_id=${id}\naws_secret_access_key=x\n`).join(''),
    );
  const credentials = open(settings);
  await write('OLD');
  expect(await credentials.provide()).toMatchObject({ accessKeyId: 'OLD' });
  await write('NEW');
  expect(await credentials.provide()).toMatchObject({ accessKeyId: 'OLD' });
  credentials.forget();
  expect(await credentials.provide()).toMatchObject({ accessKeyId: 'NEW' });
});
