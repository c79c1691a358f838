import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';

/** How a program ended, as shells number it: its exit code, or 128 and the number of the signal that killed it. */
export async function runChild(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const [command = '', ...args] = argv;
  const child = spawn(command, args, { env: environment, stdio: 'inherit' });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal === null ? (code ?? 1) : 128 + constants.signals[signal];
}
