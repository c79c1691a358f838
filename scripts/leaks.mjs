// Runs the tests that look for secrets where none may be, and prints what they have looked through. Takes jest's options.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const directory = mkdtempSync(join(tmpdir(), 'leasehold-leaks-'));
const temporary = mkdtempSync(join(directory, 'tmp-'));
const table = join(directory, 'table');
// PostgreSQL runs as another user where this one is root, and must get to what is its own in there.
for (const each of [directory, temporary]) chmodSync(each, 0o711);
writeFileSync(table, '');
try {
  const options = ['--selectProjects', 'unit', 'server', '--testPathPatterns', '/leak', ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, [require.resolve('jest/bin/jest'), ...options], {
    stdio: 'inherit',
    env: { ...process.env, TMPDIR: temporary, LEASEHOLD_LEAK_TABLE: table },
  });
  const hunts = readFileSync(table, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  const rows = hunts.flatMap(({ title, canaries, blind, rows: places }) =>
    places.map(({ kind, places: count, bytes, findings }) => [
      title,
      kind,
      String(count),
      bytes.toLocaleString('en'),
      String(canaries),
      blind.includes(kind) ? 'blind' : 'seen',
      String(findings),
    ]),
  );
  print(['hunt', 'where', 'places', 'bytes', 'canaries', 'control', 'findings'], rows);
  // Jest's cache is there by jest's own doing.
  const left = readdirSync(temporary).filter((name) => !name.startsWith('jest'));
  process.stdout.write(
    `Left in the directory for temporary files: ${left.length === 0 ? 'nothing' : left.join(', ')}.\n`,
  );
  process.exitCode = left.length > 0 ? 1 : (status ?? 1);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function print(head, rows) {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])));
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`);
  }
}
