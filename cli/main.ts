#!/usr/bin/env node
import type { Command } from 'commander';
import { keepMemoryToOurselves } from '../packaging/own-memory';
import { letGoOfClosedTerminals } from './closed-terminal';
import { EXIT, tellError } from './exit';
import { createProgram } from './program';

keepMemoryToOurselves();
// By its kind alone: Node would print all that hangs on it.
process.setUncaughtExceptionCaptureCallback((error) => process.exit(tellError(error)));
letGoOfClosedTerminals();
const program = createProgram();
setExitCodes(program);

// Whoever read it has gone, as `head` does: not all was told, and there is nobody to tell. Who waits for what it printed sees to it.
process.stdout.on('error', () => {
  if (process.stdout.listenerCount('error') === 1) process.exit(EXIT.problems);
});
// A terminal that has closed: nobody is left to be told, and what is under way is still brought to its end.
process.stderr.on('error', () => undefined);

void program.parseAsync();

function setExitCodes(command: Command): void {
  command.exitOverride((error) => {
    process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage);
  });
  command.commands.forEach(setExitCodes);
}
