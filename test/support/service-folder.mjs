// Makes what the image of worker and API holds, as the Dockerfile does, but that the packages are those that are installed here:
// `npm ci` would take a minute.
//
//   node test/support/service-folder.mjs <folder>
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isNeeded } from '../../scripts/prune-service.mjs';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const folder = resolve(process.argv[2]);
// Another user runs what is made, whatever the umask of whoever runs the tests.
process.umask(0o022);

execFileSync(process.execPath, ['scripts/service-manifest.mjs', folder], { cwd: ROOT });
const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
for (const at of installed(Object.keys(dependencies))) bring(realpathSync(join(ROOT, at)), at, bringLinked);
bring(join(ROOT, 'dist'), 'dist', copyFileSync);
chmodSync(join(folder, 'dist/cli/main.js'), 0o755);

/** Where npm puts the packages of these names, and all that they need. */
function installed(names) {
  const found = new Set();
  const open = names.map((name) => ['', name]);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const at = find(...next);
    // One for another system, or an optional peer, is not there.
    if (at === null || found.has(at)) continue;
    found.add(at);
    const { dependencies: needed = {}, optionalDependencies: wanted = {}, peerDependencies: peers = {} } = packages[at];
    for (const name of Object.keys({ ...needed, ...wanted, ...peers })) open.push([at, name]);
  }
  return found;
}

/** As Node looks for a package: beside the one that needs it, then further up. */
function find(from, name) {
  const at = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (packages[at] !== undefined && existsSync(join(ROOT, at))) return at;
  return from === '' ? null : find(from.slice(0, Math.max(from.lastIndexOf('/node_modules/'), 0)), name);
}

/** A folder without what no program loads. Packages within a package are brought by themselves. */
function bring(source, path, bringFile) {
  mkdirSync(join(folder, path), { recursive: true });
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const below = `${path}/${entry.name}`;
    if (entry.name === 'node_modules' || !isNeeded(below)) continue;
    if (entry.isDirectory()) bring(join(source, entry.name), below, bringFile);
    else bringFile(join(source, entry.name), join(folder, below));
  }
}

/** Thousands of files, which nobody changes: another name for each is enough, where one file system has both. */
function bringLinked(source, target) {
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}
