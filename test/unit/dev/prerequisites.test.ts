import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkNode, findPython, PrerequisiteError } from '../../../dev/prerequisites';

const run = promisify(execFile);
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** A program of this name that runs these lines of shell. */
async function program(name: string, script: string): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

const python = (version: string): string => `case "$2" in *venv*|*sys*) echo ${version};; esac`;
const absent = (): string => join(directory, 'absent');

test.each(['20.19.0', '20.20.2', '22.12.0', '23.0.0', '24.1.0', '26.0.0'])('Node %s will do', (version) => {
  expect(() => {
    checkNode(version, 'linux');
  }).not.toThrow();
});

test.each(['18.20.0', '20.18.3', '21.7.3', '22.11.0'])('Node %s is refused with the version to install', (version) => {
  expect(() => {
    checkNode(version, 'linux');
  }).toThrow(
    new PrerequisiteError(
      `Node ${version} will not do: install Node 20.19 or newer, or 22.12 or newer, from https://nodejs.org.`,
    ),
  );
});

test('Windows itself is refused with the way that works', () => {
  expect(() => {
    checkNode('22.12.0', 'win32');
  }).toThrow('run it inside WSL');
});

test('a Python whose name is there but that does not run is passed over', async () => {
  const shim = await program('python3.13', 'echo "python3.13: command not found" >&2; exit 127');
  const good = await program('python3.11', python('3.11'));
  const found = await findPython([shim, absent(), good], absent());
  expect(found.create('/env')).toEqual({ command: good, args: ['-m', 'venv', '/env'] });
});

test('a Python that is too old, or has no venv, is passed over', async () => {
  const old = await program('old', python('3.9'));
  const bare = await program('bare', 'case "$2" in *venv*) exit 1;; *) echo 3.12;; esac');
  const good = await program('good', python('3.10'));
  expect((await findPython([old, bare, good], absent())).create('/env').command).toBe(good);
  await expect(findPython([old, bare], absent())).rejects.toThrow(
    new PrerequisiteError(
      `Python 3.10 or newer with venv is needed (${old} is 3.9, ${bare} is 3.12 but lacks venv): ` +
        'install python3 and python3-venv, or uv from https://docs.astral.sh/uv.',
    ),
  );
});

test('a newer Python may be asked for', async () => {
  const old = await program('old', python('3.10'));
  const good = await program('good', python('3.11'));
  expect((await findPython([old, good], absent(), 11)).create('/env').command).toBe(good);
  await expect(findPython([old], absent(), 11)).rejects.toThrow('Python 3.11 or newer with venv is needed (');
  const uv = await program('uv', 'echo uv 0.9.0');
  expect((await findPython([old], uv, 11)).create('/env').args).toContain('>=3.11');
});

test('without any Python the message says what to install', async () => {
  await expect(findPython([absent()], absent())).rejects.toThrow(/none that runs was found.*install python3/);
});

test('uv stands in for a missing Python, with hashes required and nothing built', async () => {
  const uv = await program('uv', 'echo uv 0.9.0');
  const found = await findPython([absent()], uv);
  expect(found.create('/env')).toMatchObject({
    command: uv,
    args: expect.arrayContaining(['venv', '/env']) as unknown,
  });
  const { command, args } = found.install('/env', 'some.txt');
  expect(command).toBe(uv);
  expect(args.join(' ')).toMatch(/^pip install .*--require-hashes --only-binary :all: .*-r some.txt$/);
});

test('the Python of this machine makes an environment', async () => {
  const { command, args } = (await findPython()).create(join(directory, 'env'));
  await run(command, [...args]);
  const { stdout } = await run(join(directory, 'env', 'bin', 'python'), ['-c', 'import sys; print(sys.prefix)']);
  expect(stdout.trim()).toMatch(/env$/);
}, 60_000);
