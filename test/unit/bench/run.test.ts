import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench, BenchContext, Findings } from '../../../bench/bench';
import { runBenches } from '../../../bench/run';
import type { RunOptions } from '../../../bench/run';

const FINDINGS: Findings = {
  tables: [{ title: 'Latency', head: ['what', 'p50'], rows: [['leasehold', '31 ms']] }],
  plots: [{ name: 'one-plot', title: 'A plot', x: { label: 'x' }, y: { label: 'y' }, series: [] }],
  notes: ['Every role was seen.'],
  data: { durations: [31] },
};

let out: string;
let said: string[];

beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), 'leasehold-'));
  said = [];
});

afterEach(() => rm(out, { recursive: true, force: true }));

function run(benches: readonly Bench[], options: Partial<RunOptions> = {}): Promise<number> {
  return runBenches({
    benches,
    size: 'quick',
    out,
    tools: { temporal: 'absent', bao: 'absent' },
    say: (line) => said.push(line),
    signal: new AbortController().signal,
    ...options,
  });
}

function bench(name: string, act: (context: BenchContext) => Promise<Findings>): Bench {
  return { name, about: `What ${name} costs.`, run: act };
}

test('what was found is written as Markdown, as JSON with the facts of the machine, and as plots', async () => {
  expect(await run([bench('issue', () => Promise.resolve(FINDINGS))])).toBe(0);
  expect((await readdir(out)).sort()).toEqual(['issue.json', 'issue.md', 'one-plot.svg']);
  const markdown = await readFile(join(out, 'issue.md'), 'utf8');
  for (const part of [
    '## issue',
    'What issue costs.',
    '| leasehold | 31 ms |',
    '- Every role was seen.',
    `- Node: ${process.versions.node}`,
  ]) {
    expect(markdown).toContain(part);
  }
  expect(markdown).toContain('![A plot](one-plot.svg)');
  expect(said.join('\n')).toContain(markdown);
  expect(JSON.parse(await readFile(join(out, 'issue.json'), 'utf8'))).toMatchObject({
    name: 'issue',
    size: 'quick',
    data: { durations: [31] },
    machine: { node: process.versions.node, temporal: null },
  });
});

test('a quick run says that it gives no figures', async () => {
  await run([bench('issue', () => Promise.resolve(FINDINGS))]);
  expect(await readFile(join(out, 'issue.md'), 'utf8')).toContain('no figures to rely on');
  await run([bench('issue', () => Promise.resolve(FINDINGS))], { size: 'full' });
  expect(await readFile(join(out, 'issue.md'), 'utf8')).not.toContain('no figures to rely on');
});

test('a bench has an empty directory of its own, which goes with it, also if it fails', async () => {
  const seen: string[] = [];
  const use = async ({ directory }: BenchContext): Promise<Findings> => {
    expect(await readdir(directory)).toEqual([]);
    await writeFile(join(directory, 'left behind'), '');
    seen.push(directory);
    if (seen.length === 1) throw new Error('no luck');
    return FINDINGS;
  };
  await run([bench('one', use), bench('two', use)]);
  expect(new Set(seen).size).toBe(2);
  expect(seen.filter((directory) => existsSync(directory))).toEqual([]);
});

test('one that fails is counted and told, and the next one runs', async () => {
  const failing = bench('issue', () => Promise.reject(new Error('2 of 20 roles were not there')));
  expect(await run([failing, bench('expire', () => Promise.resolve(FINDINGS))])).toBe(1);
  expect(said.join('\n')).toContain('issue failed: Error: 2 of 20 roles were not there');
  expect(await readdir(out)).toContain('expire.md');
  expect(await readdir(out)).not.toContain('issue.md');
});

test('once somebody asks to end, none begins any more', async () => {
  const controller = new AbortController();
  const first = bench('issue', () => {
    controller.abort();
    return Promise.reject(new Error('stopped'));
  });
  const running = run([first, bench('expire', () => Promise.resolve(FINDINGS))], { signal: controller.signal });
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  expect(await readdir(out)).toEqual([]);
});

test('one that could not measure everything is written down all the same, with what is missing, and counted as failed', async () => {
  const missing = ['Nothing was measured with 50,000 leases.'];
  expect(await run([bench('restart', () => Promise.resolve({ ...FINDINGS, missing }))])).toBe(1);
  expect(await readFile(join(out, 'restart.md'), 'utf8')).toContain(`- ${missing[0]}`);
  expect(JSON.parse(await readFile(join(out, 'restart.json'), 'utf8'))).toMatchObject({ missing });
  expect(said.join('\n')).toContain('restart failed: Error: Nothing was measured with 50,000 leases.');
});
