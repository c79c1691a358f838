import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, types } from '../../support/config-text';
import { startReload } from '../../../config/reload';
import type { Reload, ReloadOptions } from '../../../config/reload';
import type { Config } from '../../../config/load';

const named = (name: string): string => `version: 1\nintegrations: { ${name}: { type: bare } }\n`;
const namesOf = (config: Config): string[] => Object.keys(config.integrations);

let directory: string;
let file: string;
let running: Reload[];
/** What was told, in its order. */
let told: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-reload-'));
  file = join(directory, 'leasehold.yaml');
  running = [];
  told = [];
});

afterEach(async () => {
  await Promise.all(running.map((reload) => reload.stop()));
  await rm(directory, { recursive: true });
});

async function start(options: Partial<ReloadOptions> = {}): Promise<Reload> {
  const text = named('one');
  await writeFile(file, text, { flag: 'wx' }).catch(() => undefined);
  const reload = startReload({
    file,
    types,
    initial: load(text),
    apply: async () => undefined,
    taken: (config) => told.push(`taken ${namesOf(config).join()}`),
    refused: (error) => told.push(`refused ${(error as Error).message}`),
    everyMs: 20,
    ...options,
  });
  running.push(reload);
  return reload;
}

/** Whole or not at all: in the middle of a write in place the file is empty, and that too would be told. */
async function put(text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

async function until(ask: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 5_000;
  while (!ask()) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function untilTold(...lines: (string | RegExp)[]): Promise<void> {
  await until(() => told.length >= lines.length, `to be told ${lines.join()}`);
  // Long enough for what is told too often.
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(told).toEqual(lines.map((line): unknown => (typeof line === 'string' ? line : expect.stringMatching(line))));
}

test('a file that nobody touched is put in force once', async () => {
  const applied: string[] = [];
  const reload = await start({ apply: async (next) => void applied.push(next.hash) });
  await until(() => applied.length > 0, 'the first look');
  await untilTold();
  expect(applied).toEqual([reload.current().hash]);
});

test('a file that was written again is in force', async () => {
  const reload = await start();
  await put(named('two'));
  await untilTold('taken two');
  expect(namesOf(reload.current())).toEqual(['two']);
});

test('a file that was replaced by renaming, as editors do, is in force, and so is the one after it', async () => {
  const reload = await start();
  for (const name of ['two', 'three']) {
    await writeFile(`${file}.new`, named(name));
    await rename(`${file}.new`, file);
    await until(() => namesOf(reload.current())[0] === name, name);
  }
  await untilTold('taken two', 'taken three');
});

test('a file behind a link that was turned, as Kubernetes does it, is in force', async () => {
  for (const name of ['one', 'two']) {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, 'leasehold.yaml'), named(name));
  }
  await symlink('one', join(directory, '..data'));
  await symlink(join('..data', 'leasehold.yaml'), file);
  await start();
  await symlink('two', join(directory, '..data_tmp'));
  await rename(join(directory, '..data_tmp'), join(directory, '..data'));
  await untilTold('taken two');
});

test('one with mistakes changes nothing, and why is told once for each text', async () => {
  const applied: string[] = [];
  const reload = await start({ apply: async (next) => void applied.push(...namesOf(next)) });
  await until(() => applied.length > 0, 'the first look');
  await put('version: 2\n');
  await untilTold(/^refused .*leasehold\.yaml.*version/s);
  await put('version: 2\n');
  await untilTold(/version/);
  await put('version: 2 \n');
  await untilTold(/version/, /version/);
  expect(namesOf(reload.current())).toEqual(['one']);
  expect(applied).toEqual(['one']);
  await put(named('two'));
  await untilTold(/version/, /version/, 'taken two');
});

test('a file that is gone changes nothing', async () => {
  const reload = await start();
  await rm(file);
  await untilTold(/^refused .*does not exist/);
  await put(named('two'));
  await untilTold(/does not exist/, 'taken two');
  expect(namesOf(reload.current())).toEqual(['two']);
});

test('who asks is answered each time, changed or not', async () => {
  const reload = await start({ everyMs: 60_000 });
  await put('version: 2\n');
  await reload.now();
  await reload.now();
  expect(told).toEqual([expect.stringContaining('version'), expect.stringContaining('version')]);
  await put(named('two'));
  await reload.now();
  expect(told[2]).toBe('taken two');
});

test('one that cannot be put in force leaves the one before it, which is told once', async () => {
  let isPossible = false;
  const reload = await start({
    everyMs: 60_000,
    apply: async () => {
      if (!isPossible) throw new Error('There are leases of one.');
    },
  });
  await put(named('two'));
  await reload.now();
  expect(told).toEqual(['refused There are leases of one.']);
  expect(namesOf(reload.current())).toEqual(['one']);
  isPossible = true;
  await reload.now();
  expect(told[1]).toBe('taken two');
  expect(namesOf(reload.current())).toEqual(['two']);
});

test('of two that come while one is put in force the last is in force at the end', async () => {
  const order: string[] = [];
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const reload = await start({
    everyMs: 60_000,
    apply: async (next) => {
      order.push(`begin ${namesOf(next).join()}`);
      if (namesOf(next)[0] === 'two') await held;
      order.push(`end ${namesOf(next).join()}`);
    },
  });
  await put(named('two'));
  const first = reload.now();
  await until(() => order.length === 1, 'two to begin');
  await put(named('three'));
  const second = reload.now();
  release();
  await Promise.all([first, second]);
  expect(order).toEqual(['begin two', 'end two', 'begin three', 'end three']);
  expect(namesOf(reload.current())).toEqual(['three']);
});

test('a further file that changed has the same configuration put in force again', async () => {
  const certificate = join(directory, 'tls.crt');
  await writeFile(certificate, 'old');
  let applied = 0;
  await start({ files: () => [certificate], apply: async () => void (applied += 1) });
  await until(() => applied === 1, 'the first look');
  await writeFile(certificate, 'new');
  await until(() => applied === 2, 'the certificate');
  await untilTold();
});

test('a file for a newer release, which comes before the process does, leaves the one before it in force', async () => {
  const reload = await start();
  await put(`version: 2\nintegrations: { two: { type: bare } }\n`);
  await untilTold(/^refused .*version .*must be 1, the latest version of this file that this release reads\. Upgrade/s);
  expect(namesOf(reload.current())).toEqual(['one']);
  await put(named('three'));
  await untilTold(/^refused /, 'taken three');
});
