import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

function list(folder: string, ending: string): readonly string[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}

interface Manifest {
  readonly version: string;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

interface Locked {
  readonly name?: string;
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

function lockOf(path: string): readonly (readonly [string, Locked])[] {
  const { packages } = JSON.parse(read(path)) as { readonly packages: Readonly<Record<string, Locked>> };
  return Object.entries(packages).filter(([at]) => at !== '');
}

const manifest = JSON.parse(read('package.json')) as Manifest;
const LOCKS = ['package-lock.json', 'dev/requirements/postgres/package-lock.json'];
const REQUIREMENTS = list('dev/requirements', '.txt');

test.each(LOCKS)(
  '%s holds a hash of everything that npm installs, and names no other registry than the public one',
  (path) => {
    const entries = lockOf(path);
    expect(entries.length).toBeGreaterThan(10);
    const unpinned = entries.filter(
      ([, { version, integrity, resolved, link }]) =>
        link === true ||
        !/^\d+\.\d+\.\d+/.test(version ?? '') ||
        !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '') ||
        // Absent it is the address of the registry in use, and the hash decides.
        (resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/')),
    );
    expect(unpinned).toEqual([]);
  },
);

test('no package may run a script when it is installed, and each that would like to is named', () => {
  const wanting = lockOf('package-lock.json')
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([at, { name }]) => name ?? at.split('node_modules/').at(-1));
  expect(Object.keys(manifest.allowScripts).toSorted()).toEqual([...new Set(wanting)].toSorted());
  expect(Object.values(manifest.allowScripts)).not.toContain(true);
});

test('the names of what pip installs are known', () => {
  expect(REQUIREMENTS.length).toBeGreaterThan(3);
});

test.each(REQUIREMENTS)('%s pins each package by version and hash', (path) => {
  const lines = read(path)
    .replaceAll(/ \\\n\s+/g, ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines).not.toEqual([]);
  for (const line of lines) {
    expect(line).toMatch(/^[a-z0-9._-]+(\[[a-z,]+\])?==\S+( ; [^#]+?)?( --hash=sha256:[0-9a-f]{64})+$/);
  }
});

test('what CI and the image install comes from the lock file, without scripts', () => {
  for (const path of ['.ci/run', 'Dockerfile']) {
    const installs = read(path)
      .split('\n')
      .filter((line) => /\b(npm|npx|pip|apt|apt-get|curl|wget)\b/.test(line) && !line.startsWith('#'))
      // What is taken out installs nothing.
      .filter((line) => !line.startsWith('RUN rm '))
      .filter((line) => !/npm (run|test) /.test(line) || line.includes('curl'))
      // The browser and promtool, which tests drive: from the system's own packages, which are signed. Nothing of them is shipped.
      .filter((line) => path !== '.ci/run' || !line.includes('apt-get'));
    expect(installs).not.toEqual([]);
    for (const line of installs) expect(line).toMatch(/^(RUN )?npm ci --ignore-scripts\b/);
  }
});

test('images are named by an exact version', () => {
  const stages = [...read('Dockerfile').matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, stage]) => stage!);
  const named = ['Dockerfile', 'temporal-compose.yml']
    .flatMap((path) => [...read(path).matchAll(/^(?:FROM|\s+image:) (\S+)/gm)].map(([, image]) => image!))
    .filter((image) => !stages.includes(image));
  expect(named.length).toBeGreaterThan(5);
  // PostgreSQL's versions have two numbers.
  const exact = /^(?:postgres:\d+\.\d+|[a-z/-]+:v?\d+\.\d+\.\d+)(?:-[a-z]+)?$|^[a-z/-]+(?::\S+)?@sha256:[0-9a-f]{64}$/;
  for (const image of named) expect(image).toMatch(exact);
});

test('examples of images and CI install this version and not the newest one', () => {
  const pages = list('docs', '.md');
  const blocks = pages.flatMap((page) =>
    [...read(page).matchAll(/```(?:dockerfile|yaml)\n(.*?)```/gs)].map(([, text]) => text!),
  );
  const named = blocks.flatMap((block) =>
    [...block.matchAll(/(?:npm install|npx)\b[^\n]*? (leasehold\S*)/g)].map(([, name]) => name!),
  );
  expect(named.length).toBeGreaterThan(2);
  for (const name of named) expect(name).toBe(`leasehold@${manifest.version}`);
});
