import { Command } from 'commander';
import { act } from '../action';
import { withExamples, withNotes } from '../examples';
import { readNames } from '../../worker/flags';

export interface SweepFlags {
  readonly config?: string;
  readonly integrations?: readonly string[];
  readonly dryRun?: boolean;
  readonly deployment?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `leasehold sweep`: has the workers look through their providers now, as their schedules do. */
export function sweepCommand(): Command {
  const command = new Command('sweep')
    .description('Removes credentials that outlived their lease, now instead of at the next scheduled sweep.')
    .option('--config <file>', 'the configuration file (default: LEASEHOLD_CONFIG, else leasehold.yaml)')
    .option('--integrations <names>', 'only these integrations, comma-separated', readNames)
    .option('--dry-run', 'only say what would be removed')
    .option('--deployment <id>', 'clean up after another installation, which no longer exists')
    .option('--yes', 'do not ask for confirmation')
    .option('--json', 'print the reports as JSON lines')
    .action(act(async (flags: SweepFlags) => (await import('../local/sweep.js')).sweep(flags), 'temporal'));
  return withExamples(withNotes(command, NOTE), [
    ['leasehold sweep --dry-run', 'say what would be removed'],
    ['leasehold sweep --integrations aws-prod', 'look through one provider now'],
    ['leasehold sweep --deployment k3v7x2ab --dry-run', 'see what an installation left that no longer exists'],
  ]);
}

const NOTE =
  'The workers do it, with their credentials; this command needs access to Temporal alone (TEMPORAL_ADDRESS and so on). A ' +
  'credential of a lease that runs is never touched. Exits with 1 if something could not be removed; Ctrl-C calls it off.';
