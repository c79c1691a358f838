import { Command, Option } from 'commander';
import { readNames } from './flags';

export interface WorkerFlags {
  readonly config?: string;
  readonly integrations?: readonly string[];
  readonly workflowsOnly?: boolean;
}

/** The command that works, under either of its names. */
export function createWorkerCommand(name: string): Command {
  return new Command(name)
    .description('Runs lease workflows and makes and removes the credentials of the configured integrations.')
    .option('--config <file>', 'the configuration file (default: LEASEHOLD_CONFIG, else leasehold.yaml)')
    .option('--integrations <names>', 'serve only these integrations, comma-separated, and no workflows', readNames)
    .addOption(
      new Option('--workflows-only', 'run workflows only and resolve no integration credential').conflicts(
        'integrations',
      ),
    )
    .addHelpText(
      'after',
      '\nThe connection to Temporal is set by TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE\nand the other TEMPORAL_* variables.',
    );
}
