import { Command } from 'commander';
import { act } from '../action';
import { withExamples, withNotes } from '../examples';
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
    .option('--integrations <names>', 'ask only the providers of these integrations, comma-separated', readNames)
    .option('--json', 'print the findings as JSON lines')
    .action(act(async (flags: CheckFlags) => (await import('../local/check.js')).check(flags), 'temporal'));
  return withExamples(withNotes(command, NOTE), [
    ['leasehold check --config leasehold.yaml', 'look at everything'],
    ['leasehold check --integrations aws-prod --json', 'ask one provider, for a program to read'],
  ]);
}

const NOTE =
  "It changes nothing. Run it with the worker's environment: it resolves the same references, and Temporal is found by the " +
  'variables TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and so on. Exits with 1 if something is wrong.';
