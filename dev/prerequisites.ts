import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Something that the machine must have. The message is one sentence with the way to get it. */
export class PrerequisiteError extends Error {
  override readonly name = 'PrerequisiteError';
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** A way to make a Python virtual environment and to install into it. */
export interface Python {
  /** Makes a new environment in a directory. */
  create(directory: string): Command;
  /** Installs a requirement file into it: pinned, hashed, and nothing that is built or run on the way. */
  install(directory: string, requirements: string): Command;
}

const PYTHONS = ['python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3'];
const OLDEST_MINOR = 10;
/** Prints the version if this Python can make environments that have pip. */
const PROBE = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';
const VERSION = 'import sys; print("%d.%d" % sys.version_info[:2])';
const PINNED = ['--quiet', '--require-hashes', '--only-binary', ':all:'];

/** @throws PrerequisiteError when this Node or this system will not do. */
export function checkNode(version: string = process.versions.node, platform: string = process.platform): void {
  if (platform === 'win32') {
    throw new PrerequisiteError('The development stack does not run on Windows itself: run it inside WSL.');
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  // Others cannot load ES modules with require, or only behind a flag.
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 23) return;
  throw new PrerequisiteError(
    `Node ${version} will not do: install Node 20.19 or newer, or 22.12 or newer, from https://nodejs.org.`,
  );
}

/**
 * Finds a Python of at least 3.10 that really runs: some machines have names on the PATH that do not. Without one, `uv`
 * brings its own.
 * @param oldest minor version of Python 3 that is wanted, if 3.10 will not do.
 * @throws PrerequisiteError
 */
export async function findPython(
  commands: readonly string[] = PYTHONS,
  uv = 'uv',
  oldest: number = OLDEST_MINOR,
): Promise<Python> {
  const unfit: string[] = [];
  for (const command of commands) {
    const version = await outputOf(command, PROBE);
    if (version !== null && isNewEnough(version, oldest)) return plainPython(command);
    const bare = version ?? (await outputOf(command, VERSION));
    if (bare !== null) unfit.push(`${command} is ${bare}${isNewEnough(bare, oldest) ? ' but lacks venv' : ''}`);
  }
  if ((await outputOf(uv, null)) !== null) return managedPython(uv, oldest);
  throw new PrerequisiteError(
    `Python 3.${oldest} or newer with venv is needed (${unfit.length === 0 ? 'none that runs was found' : unfit.join(', ')}): ` +
      'install python3 and python3-venv, or uv from https://docs.astral.sh/uv.',
  );
}

function plainPython(command: string): Python {
  return {
    create: (directory) => ({ command, args: ['-m', 'venv', directory] }),
    install: (directory, requirements) => ({
      command: join(directory, 'bin', 'python'),
      args: ['-m', 'pip', 'install', '--disable-pip-version-check', ...PINNED, '-r', requirements],
    }),
  };
}

function managedPython(command: string, oldest: number): Python {
  return {
    create: (directory) => ({ command, args: ['venv', '--quiet', '--python', `>=3.${oldest}`, directory] }),
    install: (directory, requirements) => ({
      command,
      args: ['pip', 'install', ...PINNED, '--python', join(directory, 'bin', 'python'), '-r', requirements],
    }),
  };
}

function isNewEnough(version: string, oldest: number): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 3 || (major === 3 && minor >= oldest);
}

/** What it prints; null if it cannot be run or fails. */
async function outputOf(command: string, program: string | null): Promise<string | null> {
  try {
    const { stdout } = await run(command, program === null ? ['--version'] : ['-c', program], { timeout: 20_000 });
    return stdout.trim();
  } catch {
    return null;
  }
}
