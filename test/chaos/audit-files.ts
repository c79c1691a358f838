import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { AuditLine } from '../../audit/line';
import type { AuditSeen } from './trace';

/** The lines of these files, and where something in them is none. An empty line is what two writers may leave. */
export async function readAuditFiles(
  paths: readonly string[],
): Promise<{ readonly audit: readonly AuditSeen[]; readonly cutLines: readonly string[] }> {
  const audit: AuditSeen[] = [];
  const cutLines: string[] = [];
  for (const path of paths) {
    const file = basename(path);
    const lines = (await readFile(path, 'utf8')).split('\n');
    if (lines.at(-1) !== '') cutLines.push(`The last line of ${file} has no end.`);
    lines.forEach((text, index) => {
      if (text === '') return;
      const line = parse(text);
      if (line === null) cutLines.push(`Line ${index + 1} of ${file} is no audit line.`);
      else audit.push({ file, line });
    });
  }
  return { audit, cutLines };
}

function parse(text: string): AuditLine | null {
  try {
    const { kind, ...line } = JSON.parse(text) as AuditLine & { readonly kind: unknown };
    return kind === 'audit' && typeof line.id === 'string' ? line : null;
  } catch {
    return null;
  }
}
