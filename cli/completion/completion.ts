import type { Command } from 'commander';
import type { Shell } from '../commands/completion';
import { EXIT } from '../exit';
import { bashScript } from './bash';
import { fishScript } from './fish';
import { completedTree } from './tree';
import type { CompletedCommand } from './tree';
import { zshScript } from './zsh';

/** See `completionCommand`. */
export function printCompletion(shell: Shell, program: Command): Promise<number> {
  process.stdout.write(SCRIPTS[shell](completedTree(program)));
  return Promise.resolve(EXIT.done);
}

const SCRIPTS: Readonly<Record<Shell, (program: CompletedCommand) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};
