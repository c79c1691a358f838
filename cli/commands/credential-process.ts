import { Command } from 'commander';
import { placeOptions } from '../access-options';
import type { PlaceFlags } from '../access-options';
import { act } from '../action';
import { withExamples, withNotes } from '../examples';

export interface SessionFlags extends PlaceFlags {
  readonly ttl?: string;
}

/** `leasehold credential-process`: what a profile of AWS's configuration files names as its `credential_process`. */
export function credentialProcessCommand(): Command {
  const command = new Command('credential-process')
    .description('Leases an AWS role session and prints it as credential_process of an AWS profile expects it.')
    .argument('<dynamic-secret>', 'name of a dynamic secret that yields role sessions (aws_sts)')
    .option('--ttl <duration>', "how long it lives, e.g. 30m (default: the dynamic secret's own)")
    .action(
      act(async (name: string, flags: SessionFlags) => (await import('../session.js')).printSession(name, flags)),
    );
  return withExamples(withNotes(placeOptions(command), NOTE), [
    [
      'credential_process = leasehold credential-process REPORTS --project backend --config prd',
      'in a profile of ~/.aws/config',
    ],
  ]);
}

const NOTE =
  'Each run makes another session, which nobody can end before its time. AWS programs renew what has less than ' +
  '15 minutes left: choose a TTL of half an hour or so.';
