import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAuditFiles } from '../../chaos/audit-files';
import { lineOf } from './traces';

const whole = JSON.stringify({ kind: 'audit', ...lineOf('issued') });

async function read(text: string): ReturnType<typeof readAuditFiles> {
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-audit-'));
  try {
    await writeFile(join(directory, 'a.audit'), text);
    return await readAuditFiles([join(directory, 'a.audit')]);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('audit files', () => {
  it('are read line by line, empty ones left out', async () => {
    const { audit, cutLines } = await read(`${whole}\n\n${whole}\n`);
    expect(audit.map(({ file, line }) => [file, line.event])).toEqual([
      ['a.audit', 'issued'],
      ['a.audit', 'issued'],
    ]);
    expect(cutLines).toEqual([]);
  });

  it.each([
    ['no end', whole, ['The last line of a.audit has no end.']],
    ['a part of a line', `${whole.slice(0, 40)}\n${whole}\n`, ['Line 1 of a.audit is no audit line.']],
    ['two lines in one', `${whole}${whole}\n`, ['Line 1 of a.audit is no audit line.']],
    ['something else', `${whole}\n{"kind":"log"}\n`, ['Line 2 of a.audit is no audit line.']],
  ])('tell of %s', async (_, text, cut) => {
    expect((await read(text)).cutLines).toEqual(cut);
  });
});
