import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { LeaseError } from '../../client/http';
import { UsageError } from '../exit';

const LARGEST_BYTES = 64 * 1024;

/**
 * A token from standard input: all of it, or from a terminal one line that is not shown.
 * @throws LeaseError `Aborted` if it was called off before.
 */
export async function readToken(signal: AbortSignal): Promise<string> {
  const text = (await untilAborted(process.stdin.isTTY ? ask(signal) : readAll(), signal)).trim();
  if (/^[\x21-\x7e]{1,16000}$/.test(text)) return text;
  throw new UsageError(
    '--with-token reads a token from standard input, and what came is none: leasehold login --with-token < file',
  );
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = once(signal, 'abort').then((): never => {
    throw signal.reason;
  });
  aborted.catch(() => undefined);
  try {
    return await Promise.race([work, aborted]);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new LeaseError('Aborted', 'Signing in was called off. Nothing was stored.');
  } finally {
    // Else it would be waited for before the process ends.
    process.stdin.destroy();
  }
}

async function readAll(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LARGEST_BYTES) break;
  }
  return Buffer.concat(chunks).toString();
}

async function ask(signal: AbortSignal): Promise<string> {
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  // Not before the terminal shows nothing any more: people type at once.
  process.stderr.write('Token (it is not shown): ');
  // In this mode the terminal sends no signal: the prompt sees the key.
  prompt.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    // Ctrl-D closes it without a line.
    const end = once(prompt, 'close', { signal }).then(() => ['']);
    const [line = ''] = (await Promise.race([once(prompt, 'line', { signal }), end])) as string[];
    return line;
  } finally {
    prompt.close();
    process.stderr.write('\n');
  }
}
