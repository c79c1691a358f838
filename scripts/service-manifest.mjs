// Writes a manifest and its lock file from which `npm ci --omit=dev` installs what worker and API need: the optional peers that
// they and the providers' clients are, as dependencies, in the versions of our own lock file. With --cli nothing is added: the command
// line alone needs none of them.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { CLIENTS, PARTS } = createRequire(import.meta.url)('../dist/packaging/parts.js');
const [directory, flag] = process.argv.slice(2);
if (directory === undefined) throw new Error('Name the directory to write to.');

const { peerDependencies, peerDependenciesMeta, ...manifest } = JSON.parse(readFileSync('package.json', 'utf8'));
const optional = flag === '--cli' ? [] : [PARTS.worker, PARTS.api, Object.values(CLIENTS)].flat(2);
for (const name of new Set(optional)) {
  manifest.dependencies[name] = peerDependencies[name];
  delete manifest.devDependencies[name];
}
mkdirSync(directory, { recursive: true });
writeFileSync(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
copyFileSync('package-lock.json', join(directory, 'package-lock.json'));
