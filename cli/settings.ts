import { constants } from 'node:fs';
import { lstat, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { settingsFile } from '../config/environment';
import { errorCode } from './error-code';
import { UsageError } from './exit';
import { withLock } from './lock';

const token = z.string().regex(/^[\x21-\x7e]{1,16000}$/);
const instant = z.iso.datetime();

const tokenSignIn = z.object({
  kind: z.literal('token'),
  token,
  /** Null: the token does not expire. */
  expires_at: instant.nullable(),
  /** `project/config`, where none is named. */
  scope: z.string().optional(),
});

const oidcSignIn = z.object({
  kind: z.literal('oidc'),
  token,
  expires_at: instant,
  /** From when on another one is asked for. */
  renew_at: instant,
  /** Without it the sign-in ends with its token. */
  refresh_token: z.string().min(1).optional(),
  /** What the API calls the issuer. */
  identity: z.string(),
  issuer: z.string(),
  client_id: z.string(),
  /** Which of the issuer's tokens the API takes. */
  presents: z.enum(['id_token', 'access_token']),
  scope: z.string().optional(),
});

const settingsSchema = z.object({
  /** Where no host is named. */
  host: z.string().optional(),
  /** By the host: its token is sent nowhere else. */
  sign_ins: z.record(z.string(), z.discriminatedUnion('kind', [tokenSignIn, oidcSignIn])).default({}),
});

export type TokenSignIn = z.infer<typeof tokenSignIn>;
export type OidcSignIn = z.infer<typeof oidcSignIn>;
export type SignIn = TokenSignIn | OidcSignIn;
/** What commands remember from one to the next. */
export type Settings = z.infer<typeof settingsSchema>;

const OTHERS = 0o077;
const LARGEST_BYTES = 1024 * 1024;

/** @throws UsageError of a file that cannot be used; one that is not there is empty. */
export async function readSettings(file: string | null = settingsFile()): Promise<Settings> {
  const text = file === null ? null : await readOwn(file);
  if (text === null) return { sign_ins: {} };
  const read = settingsSchema.safeParse(parse(text));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const at = issue === undefined || issue.path.length === 0 ? '' : ` (at ${String(issue.path[0])})`;
  throw new UsageError(
    `${String(file)} is no settings file of leasehold${at}. Remove it and sign in again: leasehold login`,
  );
}

/** The settings while no other command changes them. */
export interface HeldSettings {
  readonly settings: Settings;
  /** The file is always whole: the old one or the new one. */
  readonly save: (settings: Settings) => Promise<void>;
}

/**
 * Runs `act` with the settings of now, while no other command reads them to change them.
 * @throws UsageError of a file that cannot be used or written.
 */
export async function holdSettings<T>(act: (held: HeldSettings) => Promise<T>): Promise<T> {
  const file = settingsFile();
  if (file === null)
    throw new UsageError('There is no home directory for settings: name a file by LEASEHOLD_SETTINGS.');
  await writing(file, () => mkdir(dirname(file), { recursive: true, mode: 0o700 }));
  let held = false as boolean;
  const run = async (): Promise<T> => {
    held = true;
    return act({ settings: await readSettings(file), save: (settings) => writing(file, () => write(file, settings)) });
  };
  try {
    return await withLock(`${file}.lock`, () => undefined, run);
  } catch (error) {
    throw held ? error : cannotWrite(file, error);
  }
}

/** The text of a file that is ours alone; null: there is none. */
async function readOwn(file: string): Promise<string | null> {
  try {
    const link = await lstat(file);
    if (link.isSymbolicLink()) requireOwn(file, link.uid, 'is a link that');
    // A pipe in its place would be waited for.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      if (!found.isFile()) throw new UsageError(`${file} is no file. LEASEHOLD_SETTINGS names another one.`);
      requireOwn(file, found.uid, '');
      if (process.getuid !== undefined && (found.mode & OTHERS) !== 0) {
        throw new UsageError(
          `${file} holds tokens, and others than you may read or write it: chmod 600 it, or remove it and sign in again.`,
        );
      }
      if (found.size > LARGEST_BYTES)
        throw new UsageError(`${file} is no settings file of leasehold: it is too large.`);
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // Also below what is no directory, as the home of a service may be /dev/null.
    if (['ENOENT', 'ENOTDIR'].includes(String(errorCode(error)))) return null;
    throw new UsageError(`${file} cannot be read (${nameOf(error)}). LEASEHOLD_SETTINGS names another one.`);
  }
}

function requireOwn(file: string, owner: number, what: string): void {
  if (process.getuid === undefined || owner === process.getuid()) return;
  const said = what === '' ? '' : `${what} `;
  throw new UsageError(`${file} ${said}belongs to somebody else. LEASEHOLD_SETTINGS names another one.`);
}

async function write(file: string, settings: Settings): Promise<void> {
  // A link of one's own, as those who keep such files elsewhere have it, stays.
  const target = await realpath(file).catch(() => file);
  const next = `${target}.new`;
  // Left over by a command that was killed: nobody else is here.
  await rm(next, { force: true });
  try {
    const handle = await open(next, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(settings, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(next, target);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}

async function writing(file: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

function cannotWrite(file: string, error: unknown): UsageError {
  return new UsageError(`${file} cannot be written (${nameOf(error)}). LEASEHOLD_SETTINGS names another one.`);
}

function nameOf(error: unknown): string {
  const code = errorCode(error);
  return typeof code === 'string' ? code : 'for no known reason';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
