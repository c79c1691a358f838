import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../cli/lock';
import type { Command, Python } from './prerequisites';
import type { Say } from './story';

const run = promisify(execFile);
const INSTALL_WITHIN_MS = 15 * 60_000;

/** Installing did not succeed. The message ends with the installer's last lines. */
export class InstallError extends Error {
  override readonly name = 'InstallError';
}

export interface EnvironmentOptions {
  readonly directory: string;
  /** Requirement files with hashes. */
  readonly requirements: readonly string[];
  /** Asked only if something must be installed. */
  readonly findPython: () => Promise<Python>;
  readonly say: Say;
  /** A sentence with a way out if PyPI does not help. */
  readonly advice: string;
}

/** What an environment was made from. Written last: without it, nothing counts as installed. */
interface Marker {
  readonly python: string;
  readonly requirements: Readonly<Record<string, string>>;
}

/**
 * Makes sure that the virtual environment holds what the requirement files say. A second time nothing is left to do; a
 * changed pin or a Python that is gone makes it anew. Two processes at once install one after the other.
 * @throws InstallError, PrerequisiteError
 */
export async function ensureEnvironment(options: EnvironmentOptions): Promise<void> {
  const { directory, requirements, say } = options;
  const wanted = Object.fromEntries(
    await Promise.all(requirements.map(async (file) => [basename(file), await hashOf(file)] as const)),
  );
  if (await isInstalled(directory, wanted)) return;
  await mkdir(dirname(directory), { recursive: true });
  const onWait = (pid: number): void => {
    say(`Process ${pid} is installing what the stack needs; waiting for it.`);
  };
  await withLock(`${directory}.lock`, onWait, async () => {
    if (await isInstalled(directory, wanted)) return;
    const python = await options.findPython();
    say(`Installing what the stack needs from PyPI into ${directory}; this is done once.`);
    await rm(directory, { recursive: true, force: true });
    await execute(python.create(directory), 'A Python virtual environment could not be made.');
    for (const file of requirements) {
      await execute(
        python.install(directory, file),
        `Installing ${basename(file)} from PyPI failed. ${options.advice}`,
      );
    }
    const version = await versionOf(directory);
    if (version === null) throw new InstallError(`The Python in ${directory} does not run: remove it and try again.`);
    await writeMarker(directory, { python: version, requirements: wanted });
  });
}

async function isInstalled(directory: string, wanted: Marker['requirements']): Promise<boolean> {
  const marker = await readMarker(directory);
  if (marker === null) return false;
  if (Object.entries(wanted).some(([name, hash]) => marker.requirements[name] !== hash)) return false;
  return (await versionOf(directory)) === marker.python;
}

async function readMarker(directory: string): Promise<Marker | null> {
  try {
    return JSON.parse(await readFile(markerOf(directory), 'utf8')) as Marker;
  } catch {
    return null;
  }
}

async function writeMarker(directory: string, marker: Marker): Promise<void> {
  const file = markerOf(directory);
  await writeFile(`${file}.new`, JSON.stringify(marker));
  await rename(`${file}.new`, file);
}

function markerOf(directory: string): string {
  return join(directory, 'installed.json');
}

async function versionOf(directory: string): Promise<string | null> {
  try {
    return (await run(join(directory, 'bin', 'python'), ['--version'], { timeout: 20_000 })).stdout.trim();
  } catch {
    return null;
  }
}

async function hashOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}

async function execute({ command, args }: Command, problem: string): Promise<void> {
  try {
    await run(command, args, { timeout: INSTALL_WITHIN_MS, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string };
    throw new InstallError(`${problem} The installer said:\n${lastLines(stderr ?? '')}`);
  }
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-6).join('\n');
}
