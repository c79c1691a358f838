import { Command } from 'commander';
import { placeOptions } from '../access-options';
import type { PlaceFlags } from '../access-options';
import { act } from '../action';
import { withExamples } from '../examples';
import { readNames } from '../../worker/flags';

export interface RunFlags extends PlaceFlags {
  readonly dynamicTtl?: string;
  readonly onlySecrets?: readonly string[];
  readonly killAfter?: string;
}

/** `leasehold run`: a program with leased credentials in its environment. */
export function runCommand(): Command {
  const command = new Command('run')
    .description('Runs a program with secrets and leased credentials in its environment, and ends the leases with it.')
    .argument('<command...>', 'the program and its arguments, after --')
    .option('--ttl, --dynamic-ttl <duration>', "TTL of the leases, e.g. 15m (default: each dynamic secret's own)")
    .option('--only-secrets <names>', 'only these secrets and dynamic secrets, comma-separated', readNames)
    .option(
      '--kill-after <duration>',
      'kills the program if it still runs so long after TERM, HUP, or an INT or QUIT that was not typed (default: never)',
    )
    .passThroughOptions()
    .action(act(async (argv: string[], flags: RunFlags) => (await import('../run/run.js')).run(argv, flags)));
  return withExamples(placeOptions(command), [
    ['leasehold run --project backend --config prd -- aws s3 ls', 'run a program on a leased AWS key'],
  ]);
}
