import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { quote } from '../../workflows/quote';
import { EXIT, NotStartedError } from '../exit';

/**
 * Tells before anything is leased what the start of a program would come to, by the rules of `execvp`.
 * @throws NotStartedError if it is not there or cannot be run.
 */
export function requireProgram(command: string, path: string | undefined): void {
  const isPath = command.includes('/');
  // Without a PATH the system has one of its own.
  if (!isPath && path === undefined && command !== '') return;
  const candidates = isPath
    ? [command]
    : command === ''
      ? []
      : (path ?? '').split(delimiter).map((directory) => join(directory, command));
  const states = candidates.map(look);
  if (states.includes('runnable')) return;
  const name = quote(command);
  if (states.includes('not executable')) {
    throw new NotStartedError(
      EXIT.notExecutable,
      `${name} cannot be run: it is no file that you may execute. Nothing was leased.`,
    );
  }
  throw new NotStartedError(
    EXIT.notFound,
    `There is no program ${name}${isPath ? '' : ' on the PATH'}. Nothing was leased.`,
  );
}

function look(file: string): 'absent' | 'not executable' | 'runnable' {
  try {
    if (!statSync(file).isFile()) return 'not executable';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'not executable' : 'absent';
  }
  try {
    accessSync(file, constants.X_OK);
    return 'runnable';
  } catch {
    return 'not executable';
  }
}
