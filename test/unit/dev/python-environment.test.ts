import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Python } from '../../../dev/prerequisites';
import { ensureEnvironment, InstallError } from '../../../dev/python-environment';

let base: string;
let directory: string;
let requirements: string;
let installs: string;
let said: string[];

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'leasehold-'));
  directory = join(base, 'venv');
  requirements = join(base, 'some.txt');
  installs = join(base, 'installs');
  said = [];
  await writeFile(requirements, 'some==1\n');
});

afterEach(() => rm(base, { recursive: true, force: true }));

/** Makes environments in a moment; the installer writes down what it was called with and then does as told. */
function fakePython(then = 'true'): Python {
  const make =
    'mkdir -p "$1/bin"; printf "#!/bin/sh\\necho Python 3.11.7\\n" > "$1/bin/python"; chmod +x "$1/bin/python"';
  return {
    create: (target) => ({ command: '/bin/sh', args: ['-c', make, 'sh', target] }),
    install: (_, file) => ({ command: '/bin/sh', args: ['-c', `echo "$1" >> "$2"; ${then}`, 'sh', file, installs] }),
  };
}

function ensure(python: Python = fakePython(), files: readonly string[] = [requirements]): Promise<void> {
  const findPython = (): Promise<Python> => Promise.resolve(python);
  return ensureEnvironment({
    directory,
    requirements: files,
    findPython,
    say: (line) => said.push(line),
    advice: 'Do without.',
  });
}

async function countInstalls(): Promise<number> {
  return existsSync(installs) ? (await readFile(installs, 'utf8')).trimEnd().split('\n').length : 0;
}

test('what is installed is not installed again, and no Python is looked for', async () => {
  await ensure();
  const noPython = (): Promise<Python> => Promise.reject(new Error('a Python was looked for'));
  await ensureEnvironment({
    directory,
    requirements: [requirements],
    findPython: noPython,
    say: (line) => said.push(line),
    advice: 'Do without.',
  });
  expect(await countInstalls()).toBe(1);
  expect(said).toHaveLength(1);
});

test('a changed pin, a further file or a Python that is gone makes the environment anew', async () => {
  await ensure();
  await writeFile(requirements, 'some==2\n');
  await ensure();
  expect(await countInstalls()).toBe(2);
  const more = join(base, 'more.txt');
  await writeFile(more, 'more==1\n');
  await ensure(fakePython(), [requirements, more]);
  expect(await countInstalls()).toBe(4);
  await ensure();
  expect(await countInstalls()).toBe(4);
  await rm(join(directory, 'bin', 'python'));
  await ensure();
  expect(await countInstalls()).toBe(5);
});

test('an installation that was broken off does not count', async () => {
  await expect(ensure(fakePython('kill -9 $$'))).rejects.toBeInstanceOf(InstallError);
  expect(existsSync(join(directory, 'bin', 'python'))).toBe(true);
  await ensure();
  expect(await countInstalls()).toBe(2);
});

test('the error ends with what the installer said last', async () => {
  const python = fakePython('echo "ERROR: no matching distribution for some==1" >&2; exit 1');
  await expect(ensure(python)).rejects.toThrow(
    /^Installing some\.txt from PyPI failed\. Do without\. The installer said:\nERROR: no matching distribution for some==1$/,
  );
});

test('two at once install once', async () => {
  await Promise.all([ensure(fakePython('sleep 0.3')), ensure(fakePython('sleep 0.3'))]);
  expect(await countInstalls()).toBe(1);
  expect(said).toContain(`Process ${process.pid} is installing what the stack needs; waiting for it.`);
});
