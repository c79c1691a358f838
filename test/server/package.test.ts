import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../dev/root';
import { PARTS } from '../../packaging/parts';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { loadedWith } from '../support/import-graph';

const run = promisify(execFile);
const MEGABYTE = 1_000_000;

let lab: ApiLab;
let home: string;
/** A project whose one dependency is Leasehold. */
let project: string;
let packing: Packing;
let packed: readonly string[];

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'leasehold-'));
  project = join(home, 'project');
  await mkdir(project);
  lab = await openApiLab();
  // Without prepack, which would build anew below the tests that run meanwhile.
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', home];
  const { stdout } = await run('npm', pack, { cwd: projectRoot(), maxBuffer: 10 * MEGABYTE });
  [packing] = Object.values(JSON.parse(stdout) as Record<string, Packing>) as [Packing];
  packed = packing.files.map(({ path }) => path);
  await writeFile(join(project, 'package.json'), '{ "private": true }');
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', join(home, packing.filename)];
  await run('npm', install, { cwd: project, timeout: 100_000 });
}, 120_000);

interface Packing {
  readonly filename: string;
  /** In bytes, packed and unpacked. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

afterAll(async () => {
  await lab.close();
  await rm(home, { recursive: true, force: true });
});

/** Runs the installed program, or Node on a text, in the project. */
async function start(command: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const [program = '', ...args] = command;
  const file = program === 'node' ? process.execPath : join(project, 'node_modules', '.bin', program);
  const options = { cwd: project, env: { PATH: process.env['PATH'], HOME: home, ...environment }, timeout: 30_000 };
  try {
    return { code: 0, ...(await run(file, args, options)) };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
}

async function sizeOf(path: string): Promise<number> {
  const found = await lstat(path);
  if (!found.isDirectory()) return found.size;
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

test('whoever only leases over HTTP installs 30 MB at most, and nothing of Temporal, AWS or Datadog', async () => {
  const modules = join(project, 'node_modules');
  expect(await sizeOf(modules)).toBeLessThan(30 * MEGABYTE);
  const installed = await readdir(modules);
  expect(installed).toContain('leasehold');
  expect(installed.filter((name) => PARTS.stack.some((each) => each.split('/')[0] === name))).toEqual([]);
});

test('the package holds what its programs and libraries load, and nothing else that was built', async () => {
  const entries = ['cli/main.ts', 'worker/main.ts', 'api/main.ts', 'client/temporal.ts', 'client/http.ts'];
  const { files } = loadedWith(entries, { followLater: true });
  const loaded = [...files].map((file) => join('dist', file.replace(/\.ts$/, '.js')));
  expect(packed).toEqual(expect.arrayContaining([...loaded, 'dist/worker/workflow-bundle.js']));
  const isOther = async (path: string): Promise<boolean> => {
    // Workflows are in their bundle, and modules of types alone are empty.
    if (loaded.includes(path) || /^dist\/workflows\/|\.d\.ts$/.test(path)) return false;
    // What an earlier build left of a source that is gone is no more when a package is made, which begins with an empty folder.
    if (path.startsWith('dist/') && !existsSync(sourceOf(path))) return path.endsWith('bundle.js');
    return !path.endsWith('.js') || /\brequire\(|\bexports\.\w/.test(await readFile(join(projectRoot(), path), 'utf8'));
  };
  const others: string[] = [];
  for (const path of packed) if (await isOther(path)) others.push(path);
  expect(others.filter((path) => !path.startsWith('docs/')).sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dev/requirements/aws-emulator.txt',
    'dev/requirements/temporal.txt',
    'dist/worker/workflow-bundle.js',
    'leasehold.example.yaml',
    'package.json',
  ]);
  expect(others).toContain('docs/cli.md');
});

function sourceOf(built: string): string {
  return join(projectRoot(), built.replace(/^dist\//, '').replace(/\.js$/, '.ts'));
}

test('the package holds no test, no example, no source and no map, and is 1 MB at most', () => {
  expect(
    packed.filter((path) => /(^|[/.])tests?[/.]|^(dist\/)?examples\/|\.map$|[^d]\.ts$|tsbuildinfo/.test(path)),
  ).toEqual([]);
  expect(packed.filter((path) => /\.(png|jpe?g|gif|webp)$/.test(path))).toEqual([]);
  expect(packing.size).toBeLessThan(MEGABYTE);
  expect(packing.unpackedSize).toBeLessThan(5 * MEGABYTE);
});

test('what is packed names no place on the machine that built it, and the workflows are there without their sources', async () => {
  const bundle = await readFile(join(project, 'node_modules/leasehold/dist/worker/workflow-bundle.js'), 'utf8');
  const [, encoded] = bundle.slice(bundle.lastIndexOf('//# sourceMappingURL=data:')).trimEnd().split(';base64,');
  const map = JSON.parse(Buffer.from(encoded!, 'base64').toString()) as Readonly<Record<string, unknown>>;
  expect(map['sourcesContent']).toBeUndefined();
  expect(map['sources']).toContain('dist/workflows/lease.js');
  expect((map['sources'] as string[]).filter((source) => source.startsWith('/'))).toEqual([]);
  for (const path of packed.filter((each) => /\.(js|ts|md|yaml)$/.test(each))) {
    const text = await readFile(join(project, 'node_modules/leasehold', path), 'utf8');
    expect([path, text.includes(projectRoot())]).toEqual([path, false]);
  }
});

/** Runs a checker of packages, which is among our own dependencies, on the packed file. */
async function checkPacked(checker: string, ...args: readonly string[]): Promise<Ended> {
  const main = join(projectRoot(), 'node_modules', '.bin', checker);
  const options = { cwd: home, env: { PATH: process.env['PATH'], HOME: home, NO_COLOR: '1' }, timeout: 60_000 };
  try {
    const command = [main, join(home, packing.filename), ...args];
    return { code: 0, ...(await run(process.execPath, command, options)) };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
}

test('TypeScript finds the types of both libraries, for require and for import', async () => {
  // Without the resolution of Node 10, which knew no exports.
  const { code, stdout, stderr } = await checkPacked('attw', '--profile', 'node16', '--format', 'ascii', '--no-emoji');
  expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' });
  expect(stdout).toContain('leasehold/http');
}, 60_000);

test('package.json says what is in the package, without a warning', async () => {
  const { stdout, stderr } = await checkPacked('publint', '--strict');
  expect(stdout + stderr).toContain('All good!');
});

test('a program is run on leases, which end with it', async () => {
  const access = { LEASEHOLD_HOST: lab.url, LEASEHOLD_TOKEN: lab.tokens['ci']! };
  const { code, stdout, stderr } = await start(['leasehold', 'run', '--', 'sh', '-c', 'env; exit 42'], access);
  expect({ code, stderr }).toEqual({ code: 42, stderr: '' });
  const leaseId = /^TOKEN_LEASE_ID=(.+)$/m.exec(stdout)?.[1];
  expect(await lab.outcome(leaseId!)).toMatchObject({ state: 'revoked' });
  expect(lab.provider.of(leaseId!)).toEqual([]);
});

test('the library over HTTP is there for require and for import', async () => {
  const script = `process.stdout.write(connectHttpLeases({ url: 'http://127.0.0.1:9', token: 'x' }).whoami.name)`;
  const required = `const { connectHttpLeases } = require('leasehold/http'); ${script}`;
  const imported = `import { connectHttpLeases } from 'leasehold/http'; ${script}`;
  for (const args of [
    ['-e', required],
    ['--input-type=module', '-e', imported],
  ]) {
    expect(await start(['node', ...args])).toEqual({ code: 0, stdout: 'whoami', stderr: '' });
  }
});

/** Declarations from one on, and the packages that they name. None of ours is missing. */
async function declaredWith(library: string): Promise<{ files: number; packages: readonly string[] }> {
  const open = [join(project, 'node_modules', 'leasehold', 'dist', 'client', `${library}.d.ts`)];
  const seen = new Set<string>();
  const packages = new Set<string>();
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const [, name] of (await readFile(file, 'utf8')).matchAll(/(?:from |import\()['"]([^'"]+)['"]/g)) {
      if (!name!.startsWith('.')) {
        packages.add(name!);
        continue;
      }
      const found = [`${join(dirname(file), name!)}.d.ts`, join(dirname(file), name!, 'index.d.ts')].find(existsSync);
      expect([file, name, found]).toEqual([file, name, expect.any(String)]);
      open.push(found!);
    }
  }
  return { files: seen.size, packages: [...packages] };
}

test('every type that the libraries declare is in the package', async () => {
  expect((await declaredWith('temporal')).files).toBeGreaterThan(10);
});

test('the types of the library over HTTP need no package that is not installed with it', async () => {
  const { files, packages } = await declaredWith('http');
  expect(files).toBeGreaterThan(10);
  expect(packages.filter((name) => !name.startsWith('node:'))).toEqual(['zod']);
});

test('what needs more says so in a line, with the command that installs it in versions that fit', async () => {
  const cases: [string[], readonly string[]][] = [
    [['leasehold', 'worker'], PARTS.worker],
    [['leasehold-worker'], PARTS.worker],
    [['leasehold', 'api'], PARTS.api],
    [['leasehold-api'], PARTS.api],
    [['leasehold', 'check'], PARTS.temporal],
    [['leasehold', 'sweep', '--dry-run'], PARTS.temporal],
    [['leasehold', 'start'], PARTS.stack],
  ];
  for (const [command, packages] of cases) {
    const { code, stdout, stderr } = await start(command);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const who = command.filter((each) => !each.startsWith('--')).join(' ');
    const names = installedBy(stderr, `${who} needs packages that are not installed: `);
    expect([...names].sort()).toEqual([...packages].sort());
  }
});

test('so does the library over Temporal, and names the one that needs none', async () => {
  const { code, stderr } = await start([
    'node',
    '-e',
    "try { require('leasehold') } catch (e) { console.error(e.message) }",
  ]);
  expect(code).toBe(0);
  const names = installedBy(
    stderr,
    'The library over Temporal, unlike leasehold/http, needs packages that are not installed: ',
  );
  expect([...names].sort()).toEqual([...PARTS.temporal].sort());
});

/** The names in an `npm install` that is all of a line after its beginning. */
function installedBy(line: string, beginning: string): readonly string[] {
  expect(line.startsWith(`${beginning}npm install `)).toBe(true);
  expect(line.trimEnd()).not.toContain('\n');
  const wanted = line.trimEnd().slice(`${beginning}npm install `.length).split(' ');
  return wanted.map((each) => /^"?(@?[^@"]+)@\^?\d+\.\d+\.\d+(?:-[a-z0-9.]+)?"?$/.exec(each)?.[1] ?? `odd: ${each}`);
}
