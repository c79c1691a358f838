import { Command, Option } from 'commander';
import { placeOptions } from '../access-options';
import type { PlaceFlags } from '../access-options';
import { act } from '../action';
import { withExamples, withNotes } from '../examples';

export interface LeaseFlags extends PlaceFlags {
  readonly ttl?: string;
  readonly json?: boolean;
  readonly env?: boolean;
  readonly plain?: string;
}

/** `leasehold lease`: one credential, printed once. */
export function leaseCommand(): Command {
  const command = new Command('lease')
    .description('Leases a credential and prints it, once: nobody can ask for it again.')
    .argument('<dynamic-secret>', 'name of a dynamic secret, e.g. S3_UPLOADS')
    .option('--ttl <duration>', "how long it lives, e.g. 15m (default: the dynamic secret's own)")
    .addOption(new Option('--json', 'print one line of JSON').conflicts(['env', 'plain']))
    .addOption(new Option('--env', 'print lines NAME=value, as a shell reads them').conflicts(['json', 'plain']))
    .addOption(
      new Option('--plain <field>', 'print the value of one field alone, e.g. PASSWORD').conflicts(['json', 'env']),
    )
    .action(
      act(async (name: string, flags: LeaseFlags) => (await import('../leases/lease.js')).issueLease(name, flags)),
    );
  return withExamples(withNotes(placeOptions(command), NOTE), [
    ['leasehold lease S3_UPLOADS --project backend --config prd', 'lease a key and look at it'],
    ['leasehold lease S3_UPLOADS --ttl 30m --json', 'for a program to read'],
    ['PGPASSWORD=$(leasehold lease DB_READER --plain PASSWORD)', 'one field alone'],
    ['(umask 077; leasehold lease DB_READER --env > .env)', 'a file, of which the lines die with the lease'],
  ]);
}

const NOTE =
  'What cannot be written out is revoked: when the reader has gone, the disk is full, or the command is interrupted. ' +
  'The lease goes on after the command. To have it end with a program, use leasehold run.';
