import { Command } from 'commander';
import { act } from '../action';
import { withExamples, withNotes } from '../examples';

export interface TokenFlags {
  readonly scope?: readonly string[];
  readonly right?: readonly string[];
  readonly expires?: string;
  readonly expiresAt?: string;
  readonly subject?: string;
  readonly json?: boolean;
}

/** `leasehold token`: what there is to do about tokens of the HTTP API. */
export function tokenCommand(): Command {
  const command = new Command('token').description('Makes tokens for the HTTP API.').addCommand(createCommand());
  return withExamples(command, [['leasehold token create backend --scope backend/prd', 'make a token for one config']]);
}

function createCommand(): Command {
  const command = new Command('create')
    .description('Makes a token. It is printed once; the configuration keeps a hash of it.')
    .argument('<name>', 'what the token is called in the configuration and in logs')
    .option('--scope <scope>', 'where it may act: project/config, project/* or *; may be repeated', collect)
    .option(
      '--right <right>',
      'what it may do: read, lease, revoke-own or admin; may be repeated (default: the first three)',
      collect,
    )
    .option('--expires <duration>', 'after which time it ends, e.g. 90d')
    .option('--expires-at <instant>', 'when it ends, e.g. 2027-01-31T00:00:00Z')
    .option('--subject <subject>', 'whose leases it sees: tokens with one subject share them (default: the name)')
    .option('--json', 'print the token and its entry as one line of JSON')
    .action(
      act(async (name: string, flags: TokenFlags) => (await import('../local/token.js')).createToken(name, flags)),
    );
  return withExamples(withNotes(command, NOTE), [
    ['leasehold token create backend --scope backend/prd --expires 90d', 'make a token for one config'],
    ['(umask 077; leasehold token create ci --scope backend/prd > ci.token)', 'keep it without showing it'],
    [
      'leasehold token create ada --scope "*" --right admin --expires 30d',
      'make one for a person who looks after leases',
    ],
    [
      'leasehold token create ci-2027 --subject ci --scope backend/prd',
      'make the next one of ci: both see the same leases',
    ],
  ]);
}

function collect(value: string, sofar: readonly string[] = []): readonly string[] {
  return [...sofar, value];
}

const NOTE =
  'Standard output gets the token and nothing else, standard error the entry for the configuration. No file is written, ' +
  'and no server is asked: the token works once its entry is in the configuration of the API.';
