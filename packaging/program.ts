import type { Command } from 'commander';
import { MissingPackages, requirePart } from './missing';
import type { Part } from './parts';

const EXIT_USAGE = 2;

/** Runs a program that is one part of Leasehold: its modules are loaded once what they need is there. */
export async function runPart(part: Part, command: Command, run: () => Promise<number>): Promise<void> {
  command.exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
  });
  command.action(async () => {
    try {
      requirePart(part, command.name());
    } catch (error) {
      if (!(error instanceof MissingPackages)) throw error;
      process.stderr.write(`${error.message}\n`);
      process.exit(EXIT_USAGE);
    }
    process.exitCode = await run();
  });
  await command.parseAsync();
}
