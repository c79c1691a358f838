import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditError, openAuditWriter } from '../../../audit/writer';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'leasehold-audit-'));
  file = join(directory, 'audit.jsonl');
});

afterEach(() => {
  jest.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

const issued = (id: string) => ({ id: `${id}/issued`, event: 'issued', leaseId: id }) as const;

function linesOf(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** From now on each flush of a file waits until it is let go, or fails so. */
async function holdFlushes(): Promise<{ flushes: () => number; release: (error?: Error) => void }> {
  const handle = await open(file, 'a');
  await handle.close();
  const held: ((error?: Error) => void)[] = [];
  const hold = (): Promise<void> =>
    new Promise((resolve, reject) => {
      held.push((error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  jest.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'datasync').mockImplementation(hold);
  return { flushes: () => held.length, release: (error) => held.at(-1)?.(error) };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(2);
}

const idsIn = (path: string): unknown[] => linesOf(readFileSync(path, 'utf8')).map((line) => line['leaseId']);

test('each line that is not written is told, and none that is', async () => {
  let failures = 0;
  const writer = openAuditWriter({
    file,
    failed: () => {
      failures += 1;
    },
  });
  await writer.write(issued('a'));
  expect(failures).toBe(0);
  rmSync(file);
  mkdirSync(file);
  await expect(writer.write(issued('b'))).rejects.toThrow(AuditError);
  expect(failures).toBe(1);
  await writer.close();
});

describe('a file', () => {
  test('has the line when write has ended, marked as audit and readable by its owner alone', async () => {
    const writer = openAuditWriter({ file });
    await writer.write({ ...issued('a'), details: { ttl: '30m' } });
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^\{"kind":"audit","time":"[^"]+","id":"a\/issued","event":"issued",.*\}\n$/);
    expect(linesOf(text)).toEqual([expect.objectContaining({ leaseId: 'a', holder: null, details: { ttl: '30m' } })]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await writer.close();
  });

  test('keeps what is in it, and holds lines in the order in which they were given', async () => {
    await openAuditWriter({ file }).write(issued('before'));
    const writer = openAuditWriter({ file });
    const ids = Array.from({ length: 50 }, (_, index) => `lease-${index}`);
    await Promise.all(ids.map((id) => writer.write(issued(id))));
    expect(idsIn(file)).toEqual(['before', ...ids]);
  });

  test('has a line on the disk before write ends, and those that wait meanwhile all at once', async () => {
    const { flushes, release } = await holdFlushes();
    const writer = openAuditWriter({ file });
    const ended: string[] = [];
    const write = (id: string): Promise<number> => writer.write(issued(id)).then(() => ended.push(id));
    const writes = ['a', 'b', 'c', 'd'].map(write);
    await until(() => flushes() === 1);
    expect(idsIn(file)).toEqual(['a']);
    expect(ended).toEqual([]);
    release();
    await until(() => flushes() === 2);
    expect(idsIn(file)).toEqual(['a', 'b', 'c', 'd']);
    expect(ended).toEqual(['a']);
    release();
    await Promise.all(writes);
    expect(flushes()).toBe(2);
  });

  test('whose disk cannot keep what it took fails the write', async () => {
    const { flushes, release } = await holdFlushes();
    const failing = openAuditWriter({ file }).write(issued('a'));
    const failed = expect(failing).rejects.toThrow(/\(EIO\): its disk reports an error\. Replace it/);
    await until(() => flushes() === 1);
    release(Object.assign(new Error('canary'), { code: 'EIO' }));
    await failed;
  });

  test('that was rotated away is begun anew', async () => {
    const writer = openAuditWriter({ file });
    await writer.write(issued('a'));
    renameSync(file, `${file}.1`);
    await writer.write(issued('b'));
    expect(idsIn(`${file}.1`)).toEqual(['a']);
    expect(idsIn(file)).toEqual(['b']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('into which another process writes too has whole lines of both', async () => {
    const program = `const fs = require('node:fs');
      const [, file, stop] = process.argv;
      const line = JSON.stringify({ leaseId: 'other' }) + '\\n';
      for (let n = 0; n < 1e5 && !fs.existsSync(stop); n += 1) {
        const fd = fs.openSync(file, 'a');
        fs.writeSync(fd, line);
        fs.closeSync(fd);
        if (n === 0) process.stdout.write('writing');
      }`;
    const writer = openAuditWriter({ file });
    const stop = join(directory, 'stop');
    const other = spawn(process.execPath, ['-e', program, file, stop], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(other, 'exit');
    await once(other.stdout, 'data');
    for (let group = 0; group < 30; group += 1) {
      await Promise.all(Array.from({ length: 10 }, () => writer.write(issued('ours'))));
    }
    writeFileSync(stop, '');
    await ended;
    const ids = idsIn(file);
    const first = ids.indexOf('ours');
    const last = ids.lastIndexOf('ours');
    expect(ids.filter((id) => id === 'ours')).toHaveLength(300);
    expect(ids.slice(first, last)).toContain('other');
  });

  test('whose last line was cut off loses that line and no other', async () => {
    const writer = openAuditWriter({ file });
    await writer.write(issued('a'));
    appendFileSync(file, '{"kind":"audit","leaseId":"cut o');
    await writer.write(issued('b'));
    await writer.write(issued('c'));
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines[1]).toBe('{"kind":"audit","leaseId":"cut o');
    expect(lines.slice(2, -1).map((line) => (JSON.parse(line) as { leaseId: string }).leaseId)).toEqual(['b', 'c']);
  });

  test.each<[string, () => string, RegExp]>([
    [
      'in a missing directory',
      () => join(directory, 'no', 'a.jsonl'),
      /\(ENOENT\): its directory does not exist\. Create it/,
    ],
    ['below a file', () => join(plain(), 'a.jsonl'), /\(ENOTDIR\): a part of its path is no directory/],
    ['that is a directory', () => directory, /\(EISDIR\): it is a directory\. Name the file in it/],
    ['with too long a name', () => join(directory, 'x'.repeat(300)), /\(ENAMETOOLONG\): its name is too long/],
    ['that is a pipe', () => pipe(), /it is a pipe or a socket\. Name a file, or unset the variable/],
  ])('%s is refused at once, with the way out', (_, make, sentence) => {
    const path = make();
    const opening = (): unknown => openAuditWriter({ file: path });
    expect(opening).toThrow(AuditError);
    expect(opening).toThrow(sentence);
    expect(opening).toThrow(`The audit file ${path} cannot be appended to`);
    expect(opening).toThrow('or name another file in LEASEHOLD_AUDIT_FILE.');
  });

  test('that can no longer be written fails the write, and the next one succeeds once it can', async () => {
    const inner = join(directory, 'logs');
    mkdirSync(inner);
    const writer = openAuditWriter({ file: join(inner, 'audit.jsonl') });
    rmSync(inner, { recursive: true });
    const failing = writer.write({ ...issued('a'), reason: 'canary' });
    await expect(failing).rejects.toThrow(AuditError);
    await expect(failing).rejects.toThrow(/logs\/audit\.jsonl cannot be appended to \(ENOENT\)/);
    await expect(failing).rejects.not.toThrow('canary');
    mkdirSync(inner);
    await writer.write(issued('b'));
    expect(idsIn(join(inner, 'audit.jsonl'))).toEqual(['b']);
  });

  (existsSync('/dev/full') ? test : test.skip)('on a full disk fails the write', async () => {
    const writer = openAuditWriter({ file: '/dev/full' });
    await expect(writer.write(issued('a'))).rejects.toThrow(
      'The audit file /dev/full cannot be appended to (ENOSPC): its file system is full. Free some space, or name',
    );
  });

  (process.getuid?.() === 0 ? test.skip : test)('that this process may not write is refused at once', () => {
    writeFileSync(file, '');
    chmodSync(file, 0o400);
    expect(() => openAuditWriter({ file })).toThrow(/\(EACCES\): this process may not read and write it/);
  });

  test('takes what was given before close, and nothing after it', async () => {
    const writer = openAuditWriter({ file });
    const writes = [writer.write(issued('a')), writer.write(issued('b'))];
    await writer.close();
    expect(idsIn(file)).toEqual(['a', 'b']);
    await Promise.all(writes);
    await expect(writer.write(issued('c'))).rejects.toThrow(AuditError);
    await writer.close();
    expect(idsIn(file)).toEqual(['a', 'b']);
  });

  function plain(): string {
    writeFileSync(file, '');
    return file;
  }

  function pipe(): string {
    execFileSync('mkfifo', [file]);
    return file;
  }
});

describe('standard output', () => {
  test('gets the same lines', async () => {
    const stdout = new PassThrough();
    const writer = openAuditWriter({ file: null, stdout });
    await writer.write(issued('a'));
    await writer.write(issued('b'));
    await writer.close();
    const text = String(stdout.read());
    expect(text).toMatch(/^\{"kind":"audit","time":/);
    expect(linesOf(text).map((line) => line['leaseId'])).toEqual(['a', 'b']);
  });

  test('that hangs is given up, with all that waits behind it, and used again once it is back', async () => {
    let goOn = (): void => undefined;
    const texts: string[] = [];
    const stuck = new Writable({
      write: (chunk: Buffer, _, done) => {
        texts.push(chunk.toString());
        if (texts.length > 1) done();
        else goOn = done;
      },
    });
    const writer = openAuditWriter({ file: null, stdout: stuck });
    const given = await Promise.allSettled([writer.write(issued('a')), writer.write(issued('b'))]);
    for (const each of given) expect(each).toMatchObject({ status: 'rejected', reason: expect.any(AuditError) });
    await expect(writer.write(issued('c'))).rejects.toThrow(/hangs/);
    goOn();
    await new Promise((resolve) => setImmediate(resolve));
    await writer.write(issued('d'));
    await writer.close();
    expect(linesOf(texts.join('')).map(({ leaseId }) => leaseId)).toEqual(['a', 'd']);
  });

  test('that nobody reads any more fails the write and not the process', async () => {
    const gone = Object.assign(new Error('canary'), { code: 'EPIPE' });
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => {
        done(gone);
      },
    });
    const writer = openAuditWriter({ file: null, stdout });
    const failing = writer.write(issued('a'));
    await expect(failing).rejects.toThrow(AuditError);
    await expect(failing).rejects.toThrow(
      'No audit line can be written to standard output (EPIPE): is its reader gone?',
    );
    await writer.close();
    expect(stdout.listenerCount('error')).toBe(0);
  });
});
