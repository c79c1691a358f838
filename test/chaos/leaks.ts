import { open } from 'node:fs/promises';
import { relative } from 'node:path';
import { filesUnder } from '../support/canaries';
import type { Needles } from './needles';
import type { Holding } from './holdings';

/** Which variables of a credential are secret; the others name it. */
const SECRET = /SECRET|PASSWORD|API_KEY|APP_KEY/;

/** Everything that may be nowhere, by what it is. */
export function secretsOf(
  holdings: readonly Pick<Holding, 'leaseId' | 'credential'>[],
  own: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const leased = holdings.flatMap(({ leaseId, credential }) =>
    Object.entries(credential)
      .filter(([name]) => SECRET.test(name))
      .map(([name, value]) => [`${name} of lease ${leaseId}`, value] as const),
  );
  return new Map([...own, ...leased]);
}

export interface FilesSearched {
  readonly leaks: readonly string[];
  readonly bytes: number;
  readonly files: number;
}

const PIECE_BYTES = 4 << 20;

/** Looks into every file of a directory, whatever it is. */
export async function searchFiles(directory: string, needles: Needles): Promise<FilesSearched> {
  const leaks: string[] = [];
  let bytes = 0;
  const files = await filesUnder(directory);
  const buffer = Buffer.alloc(PIECE_BYTES + needles.longest);
  for (const file of files) {
    const found = new Set<string>();
    const handle = await open(file);
    try {
      for (let kept = 0; ;) {
        const { bytesRead } = await handle.read(buffer, kept, PIECE_BYTES);
        if (bytesRead === 0) break;
        bytes += bytesRead;
        const end = kept + bytesRead;
        for (const name of needles.find(buffer.subarray(0, end))) found.add(name);
        // What a piece cuts in two is seen whole with the next one.
        const keep = Math.min(end, needles.longest);
        buffer.copyWithin(0, end - keep, end);
        kept = keep;
      }
    } finally {
      await handle.close();
    }
    for (const name of found) leaks.push(`${name} stands in ${relative(directory, file)}`);
  }
  return { leaks, bytes, files: files.length };
}
