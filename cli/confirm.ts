import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { UsageError } from './exit';

/**
 * Asks whoever sits at the terminal, unless `--yes` was given.
 * @throws UsageError if the answer is not yes, or nobody is there to be asked.
 */
export async function confirm(question: string, { yes }: { readonly yes: boolean | undefined }): Promise<void> {
  if (yes === true) return;
  requireTerminal(yes);
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  // In this mode the terminal sends no signal: the prompt sees the key.
  reader.once('SIGINT', () => {
    process.stderr.write('\n');
    process.kill(process.pid, 'SIGINT');
  });
  // Ctrl-D closes it: the question is then answered with an error, or never.
  const closed = once(reader, 'close').then(() => '\n');
  const answer = await Promise.race([reader.question(`${question} [y/N] `).catch(() => closed), closed]);
  reader.close();
  if (answer === '\n') process.stderr.write(answer);
  if (!/^\s*y(es)?\s*$/i.test(answer)) throw new UsageError('Not confirmed: nothing was done.');
}

/** @throws UsageError where nobody can be asked and `--yes` is missing: before anything is looked up. */
export function requireTerminal(yes: boolean | undefined): void {
  if (yes === true || (process.stdin.isTTY && process.stderr.isTTY)) return;
  throw new UsageError('There is no terminal to ask for confirmation: add --yes, or look with --dry-run first.');
}
