import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startApi } from '../../dev/api-process';
import { tryIdentity } from '../../dev/aws-calls';
import { tryKeyPair } from '../../dev/datadog-calls';
import { startDatadogEmulator } from '../../dev/datadog-emulator/datadog-emulator';
import { writeDevelopmentConfig } from '../../dev/development';
import { startDevelopmentPostgres } from '../../dev/development-postgres';
import { projectRoot } from '../../dev/root';
import { startWorker } from '../../dev/worker-process';
import { Connection } from '@temporalio/client';
import { connectLeases } from '../../client/temporal';
import { eventually } from '../support/lab';
import { createNamespace } from '../support/namespace';
import { provided } from '../support/stack';

const run = promisify(execFile);

/** The README's shell examples that hold this text, as they stand there. */
async function example(holds: string): Promise<string> {
  const readme = await readFile(join(projectRoot(), 'README.md'), 'utf8');
  const found = [...readme.matchAll(/```sh\n(.*?)```/gs)]
    .map(([, code]) => code!)
    .filter((code) => code.includes(holds));
  expect(found).toHaveLength(1);
  return found[0]!;
}

test('the examples of the README do what it says, and the key that was leased is dead after its revoke', async () => {
  const { temporal, aws, doppler } = provided();
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  const connection = await Connection.connect({ address: temporal.address });
  const place = { address: temporal.address, namespace: await createNamespace(connection) };
  const postgres = await startDevelopmentPostgres({ logFile: join(directory, 'postgres.log'), admin: null });
  const datadog = await startDatadogEmulator();
  const { file: configFile, token } = await writeDevelopmentConfig(directory, { aws, postgres, datadog });
  const options = { temporal: place, aws, postgres, datadog, configFile, logDirectory: directory };
  const worker = await startWorker(options);
  const api = await startApi(options);
  const leases = await connectLeases({ connection, namespace: place.namespace });
  // As npx finds it in a checkout, without npm's own time.
  const commands = join(directory, 'bin');
  await mkdir(commands);
  const npx = `#!/bin/sh\n[ "$1" = leasehold ] && shift && exec node ${join(projectRoot(), 'dist/cli/main.js')} "$@"\n`;
  await writeFile(join(commands, 'npx'), npx, { mode: 0o755 });
  const shell = async (code: string): Promise<string> => {
    const environment = {
      PATH: [commands, dirname(doppler), process.env['PATH']].join(delimiter),
      HOME: directory,
      LEASEHOLD_HOST: api.url,
      LEASEHOLD_TOKEN: token,
      DOPPLER_API_HOST: api.url,
      DOPPLER_TOKEN: token,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    };
    const { stdout } = await run('sh', ['-ec', code], { cwd: projectRoot(), env: environment, timeout: 60_000 });
    return stdout;
  };
  const liveLeases = async (): Promise<readonly string[]> => {
    const ids: string[] = [];
    for await (const { leaseId } of leases.list({ live: true })) ids.push(leaseId);
    return ids;
  };
  try {
    const answers = (await shell(await example('curl'))).trim();
    const [issued, listed] = JSON.parse(`[${answers.replace('}{', '},{')}]`) as [
      { lease_id: string; credential: Record<string, string> },
      { leases: { lease_id: string }[] },
    ];
    expect(await tryIdentity(aws, issued.credential)).toBe('ok');
    expect(Array.isArray(listed.leases)).toBe(true);

    for (const holds of ['npx leasehold run', 'doppler run']) {
      const told = await shell(await example(holds));
      expect(told).toMatch(/^The key \S+ works: \d+ buckets\.$/m);
      expect(told).toMatch(/^The role leasehold_dev-\S+ works: 3 orders\.$/m);
      if (holds === 'doppler run') continue;
      await eventually(async () => (await liveLeases()).join() === issued.lease_id, 'run to leave nothing behind');
    }

    const pair = (
      await shell(`doppler run --no-fallback -- sh -c 'printf "%s %s" "$DATADOG_API_KEY" "$DATADOG_APP_KEY"'`)
    ).split(' ');
    const keys = { API_KEY: pair[0]!, APP_KEY: pair[1]! };
    expect(await tryKeyPair(datadog.url, keys)).toBe('ok');

    const printKey = 'printf "%s %s %s" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_LEASE_EXPIRES_AT"';
    const [id, secret, end] = (await shell(`doppler run --no-fallback --dynamic-ttl 6s -- sh -c '${printKey}'`)).split(
      ' ',
    );
    const short = { ACCESS_KEY_ID: id!, SECRET_ACCESS_KEY: secret! };
    expect(await tryIdentity(aws, short)).toBe('ok');
    expect(Date.now()).toBeLessThan(Date.parse(end!));
    await eventually(async () => (await tryIdentity(aws, short)) !== 'ok', 'the key to be dead after its TTL');
    expect(await tryIdentity(aws, short)).toBe('InvalidClientTokenId');
    expect(Date.now()).toBeGreaterThan(Date.parse(end!));

    for (const leaseId of await liveLeases()) await leases.revoke(leaseId, { wait: true });
    expect(await tryIdentity(aws, issued.credential)).toBe('InvalidClientTokenId');
    expect(await tryKeyPair(datadog.url, keys)).toBe('HTTP 403');
  } finally {
    await api.process.stop();
    await worker.stop();
    await leases.close();
    await connection.close();
    await datadog.stop();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
}, 120_000);
