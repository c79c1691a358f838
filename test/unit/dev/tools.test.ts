import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrerequisiteError } from '../../../dev/prerequisites';
import { projectRoot } from '../../../dev/root';
import { findTemporal } from '../../../dev/tools';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function temporalOf(server: string): Promise<string> {
  const file = join(directory, `temporal-${server}`);
  await writeFile(file, `#!/bin/sh\necho 'temporal version 1.5.0 (Server ${server}, UI 2.40.0)'\n`, { mode: 0o755 });
  return file;
}

test('the Temporal that is named is taken before the one on the PATH', async () => {
  const [named, onPath] = [await temporalOf('1.32.0'), await temporalOf('1.30.0')];
  expect(await findTemporal(named, onPath)).toBe(named);
  expect(await findTemporal(undefined, onPath)).toBe(onPath);
  expect(await findTemporal('', onPath)).toBe(onPath);
});

test('one on the PATH that is too old or does not run is passed over', async () => {
  expect(await findTemporal(undefined, await temporalOf('1.25.2'))).toBeNull();
  expect(await findTemporal(undefined, join(directory, 'absent'))).toBeNull();
  expect(await findTemporal(undefined, 'false')).toBeNull();
});

test('one that is named and will not do is refused, not replaced', async () => {
  for (const named of [await temporalOf('1.25.2'), join(directory, 'absent')]) {
    const problem = findTemporal(named, await temporalOf('1.32.0'));
    await expect(problem).rejects.toBeInstanceOf(PrerequisiteError);
    await expect(problem).rejects.toThrow(`LEASEHOLD_TEMPORAL_BIN is "${named}"`);
  }
});

test.each(['aws-emulator.txt', 'kubernetes.txt', 'openbao.txt', 'temporal.txt', 'time-skipping.txt'])(
  'everything in %s is pinned by version and hash',
  async (name) => {
    const text = await readFile(join(projectRoot(), 'dev', 'requirements', name), 'utf8');
    const entries = text
      .replaceAll('\\\n', '')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(entries.length).toBeGreaterThan(0);
    for (const entry of entries) expect(entry).toMatch(/^[\w.-]+==\S+.*--hash=sha256:[0-9a-f]{64}/);
  },
);
