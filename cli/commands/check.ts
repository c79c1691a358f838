import { Command } from 'commander';
import { act } from '../action';
import { withExamples } from '../examples';
import { readNames } from '../../worker/flags';

export interface CheckFlags {
  readonly config?: string;
  readonly integrations?: readonly string[];
  readonly json?: boolean;
}

/** `leasehold check`: whether everything is in place for leases to be issued and, above all, to be ended. Changes nothing. */
export function checkCommand(): Command {
  const command = new Command('check')
    .description('Tells what is wrong with the configuration, the rights at the providers and the Temporal namespace.')
    .option('--config <file>', 'the configuration file (default: LEASEHOLD_CONFIG, else leasehold.yaml)')
    .option('--integrations <names>', 'ask only these providers, comma-separated', readNames)
    .option('--json', 'print the findings as JSON lines')
    .action(act(async (flags: CheckFlags) => (await import('../local/check.js')).check(flags), 'temporal'));
  return withExamples(command, [
    ['leasehold check --config leasehold.yaml', 'look at everything'],
    ['leasehold check --integrations aws-prod --json', 'ask one provider, for a program to read'],
  ]);
}
