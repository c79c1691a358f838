import { Command } from 'commander';
import { accessOptions } from '../access-options';
import type { AccessFlags } from '../access-options';
import { act } from '../action';
import { withExamples } from '../examples';

export interface WhoamiFlags extends AccessFlags {
  readonly json?: boolean;
}

/** `leasehold whoami`: which API, and whom the token stands for. */
export function whoamiCommand(): Command {
  const command = new Command('whoami')
    .description('Tells which API is asked, as whom, what you may do there and until when.')
    .option('--json', 'print one line of JSON')
    .action(act(async (flags: WhoamiFlags) => (await import('../leases/whoami.js')).whoami(flags)));
  return withExamples(accessOptions(command), [['leasehold whoami', 'see whether the token works']]);
}
