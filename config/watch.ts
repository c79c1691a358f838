import { stat } from 'node:fs/promises';

export interface FileWatch {
  stop(): void;
}

const EVERY_MS = 1_000;

/**
 * Calls back whenever one of the files is another one than before, and once at the beginning: also when it was replaced by renaming,
 * and when it is reached by links of which one was turned, as Kubernetes does it. Only once it has been left alone for a moment,
 * so that nobody reads the half of it.
 * @param files asked each time.
 */
export function watchFiles(files: () => readonly string[], onChange: () => void, everyMs = EVERY_MS): FileWatch {
  let known: string | undefined;
  let before: string | undefined;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    const now = (await Promise.all(files().map(signatureOf))).join('\n');
    // Asked again and again, not told by the system: its notices get lost on network file systems and on links.
    if (stopped()) return;
    if (now === before && now !== known) {
      known = now;
      onChange();
    }
    before = now;
    timer = setTimeout(() => void look(), everyMs);
    timer.unref();
  };
  const stopped = (): boolean => isStopped;

  void look();
  return {
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** Another one whenever the content may be another one. */
async function signatureOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
  }
}
