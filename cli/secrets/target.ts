import { randomBytes } from 'node:crypto';
import { link, lstat, open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { deliver, systemCode } from '../deliver';
import { UsageError } from '../exit';

/** Where credentials go. */
export interface Target {
  /** As it is called in a sentence. */
  readonly name: string;
  /** All of it, or it fails. */
  write(text: string, signal: AbortSignal): Promise<void>;
  /** Leaves nothing but what was written. */
  close(): Promise<void>;
}

export interface TargetFlags {
  readonly output?: string;
  readonly force?: boolean;
}

export function isPrinted({ output }: TargetFlags): boolean {
  return output === undefined || output === '-';
}

const OWNER_ONLY = 0o600;

/**
 * Standard output unless a file is asked for. That it can be written is seen now, before there is anything to write.
 * @throws UsageError if it cannot.
 */
export async function openTarget({ output, force = false }: TargetFlags): Promise<Target> {
  if (output === undefined || isPrinted({ output })) {
    return { name: 'The output', write: deliver, close: () => Promise.resolve() };
  }
  await checkTarget(output, force);
  // Of a short name of its own: that of the target may be as long as names can be.
  const draft = join(dirname(output), `.leasehold-${randomBytes(8).toString('hex')}`);
  const handle = await openDraft(draft, output);
  return {
    name: JSON.stringify(output),
    write: async (text, signal) => {
      await handle.writeFile(text);
      await handle.sync();
      signal.throwIfAborted();
      await (force ? rename(draft, output) : moveToNew(draft, output));
    },
    close: async () => {
      // What was written is on the disk already.
      await handle.close().catch(() => undefined);
      await rm(draft, { force: true });
    },
  };
}

async function checkTarget(output: string, force: boolean): Promise<void> {
  const shown = JSON.stringify(output);
  if (output === '' || output.includes('\0')) throw new UsageError('--output must be the name of a file.');
  if (output.endsWith('/') || output.endsWith(sep)) {
    throw new UsageError(`--output ${shown} names a directory: name a file in it.`);
  }
  const found = await lstat(output).catch((error: unknown) => {
    const code = systemCode(error);
    if (code === 'ENOENT') return null;
    throw new UsageError(`--output ${shown} cannot be written (${code}). Nothing was leased.`);
  });
  if (found === null) return;
  if (found.isSymbolicLink()) {
    throw new UsageError(`--output ${shown} is a symbolic link: name the file itself, or leave --output out to print.`);
  }
  if (!found.isFile()) throw new UsageError(`--output ${shown} is no regular file: leave --output out to print.`);
  if (!force) throw new UsageError(`--output ${shown} is already there: --force replaces it.`);
}

async function openDraft(draft: string, output: string): Promise<FileHandle> {
  try {
    const handle = await open(draft, 'wx', OWNER_ONLY);
    // A umask may have taken from us what we need.
    await handle.chmod(OWNER_ONLY);
    return handle;
  } catch (error) {
    const code = systemCode(error);
    const why = code === 'ENOENT' ? 'there is no such directory' : code;
    throw new UsageError(`--output ${JSON.stringify(output)} cannot be written (${why}). Nothing was leased.`);
  }
}

/** Never over a file that appeared meanwhile. */
async function moveToNew(draft: string, output: string): Promise<void> {
  try {
    await link(draft, output);
  } catch (error) {
    if (!NO_LINKS.has(systemCode(error))) throw error;
    await (await open(output, 'wx', OWNER_ONLY)).close();
    await rename(draft, output);
  }
}

/** Of file systems on which a file has one name. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
