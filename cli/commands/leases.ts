import { Command, Option } from 'commander';
import { accessOptions } from '../access-options';
import type { AccessFlags } from '../access-options';
import { act } from '../action';
import { withExamples, withNotes } from '../examples';
import { filterOptions, readCount, readLeaseId, readLeaseIds, readText } from '../filter-options';
import type { FilterFlags } from '../filter-options';

export interface ListFlags extends FilterFlags {
  readonly state?: string;
  readonly all?: boolean;
  readonly limit?: number;
  readonly json?: boolean;
}

export interface ShowFlags extends AccessFlags {
  readonly json?: boolean;
}

export interface ExtendFlags extends ShowFlags {
  readonly ttl: string;
}

export interface RevokeFlags extends FilterFlags {
  readonly all?: boolean;
  readonly mine?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  /** Text: how long. Not given: each command's own. */
  readonly wait?: boolean | string;
  readonly reason?: string;
  readonly json?: boolean;
}

export interface AbandonFlags extends AccessFlags {
  readonly reason: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const STATES = [
  'provisioning',
  'active',
  'deprovisioning',
  'stuck',
  'expired',
  'revoked',
  'failed',
  'abandoned',
  'terminated',
];

/** `leasehold leases`: what there is to do with leases that exist. */
export function leasesCommand(): Command {
  const command = new Command('leases')
    .description('Looks at leases, moves their end, ends them.')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(extendCommand())
    .addCommand(revokeCommand())
    .addCommand(revocationsCommand())
    .addCommand(abandonCommand());
  return withExamples(command, [
    ['leasehold leases list', 'what is leased now'],
    ['leasehold leases revoke --all --mine --dry-run', 'which of your own would end'],
  ]);
}

function listCommand(): Command {
  const command = new Command('list')
    .description('Lists live leases, newest first: your own, and as an admin all within your scopes.')
    .addOption(new Option('--state <state>', 'only in this state, ended ones too').choices(STATES))
    .option('--all', 'those that have ended too')
    .option('--limit <count>', 'at most so many', readCount)
    .option('--json', 'print one line of JSON for each, as soon as it is known')
    .action(act(async (flags: ListFlags) => (await import('../leases/list.js')).list(flags)));
  return withExamples(
    withNotes(filterOptions(command), 'The index lags by a moment: leasehold leases show tells how a lease is now.'),
    [
      ['leasehold leases list', 'what is leased now'],
      ['leasehold leases list --all --holder token:ci --limit 20', 'the latest of one holder'],
      ['leasehold leases list --json | jq -r .lease_id', 'for a program to read'],
    ],
  );
}

function showCommand(): Command {
  const command = new Command('show')
    .description('Shows one lease as it is now.')
    .argument('<lease-id>', 'of the lease', readLeaseId)
    .option('--json', 'print one line of JSON')
    .action(act(async (id: string, flags: ShowFlags) => (await import('../leases/show.js')).show(id, flags)));
  return withExamples(accessOptions(command), [['leasehold leases show abcdefghijklmnopqrstuvwx', 'look at a lease']]);
}

function extendCommand(): Command {
  const command = new Command('extend')
    .description('Moves the end of an active lease to so long from now, later or earlier.')
    .argument('<lease-id>', 'of the lease', readLeaseId)
    .requiredOption('--ttl <duration>', 'how long it lives from now on, e.g. 1h')
    .option('--json', 'print one line of JSON')
    .action(act(async (id: string, flags: ExtendFlags) => (await import('../leases/extend.js')).extend(id, flags)));
  return withExamples(accessOptions(command), [
    ['leasehold leases extend abcdefghijklmnopqrstuvwx --ttl 1h', 'one more hour from now'],
  ]);
}

function revokeCommand(): Command {
  const command = new Command('revoke')
    .description('Ends leases now: those that are named, or with --all those that the filters mean.')
    .argument('[lease-ids...]', 'of the leases', readLeaseIds)
    .option('--all', 'all that the filters mean. As an admin: blocks more of them, too, until the block is lifted')
    .option('--mine', 'with --all, of an admin: your own alone, without a block')
    .option('--dry-run', 'only say what would be revoked')
    .option('--yes', 'do not ask for confirmation')
    .option(
      '--wait [duration]',
      'wait until the removal is confirmed, at most so long or 5m (default: not for named leases; with --all your own 5m, others until it is done)',
    )
    .option('--no-wait', 'do not wait: what was accepted goes on by itself')
    .option('--reason <text>', 'why: kept and shown with the leases', readText)
    .option('--json', 'print lines of JSON')
    .action(
      act(async (ids: readonly string[], flags: RevokeFlags) =>
        (await import('../leases/revoke.js')).revoke(ids, flags),
      ),
    );
  return withExamples(withNotes(filterOptions(command), REVOKE_JSON), [
    ['leasehold leases revoke abcdefghijklmnopqrstuvwx --wait', 'end one, and see that it is gone'],
    ['leasehold leases revoke --all --project backend --dry-run', 'say what would be ended'],
    ['leasehold leases revoke --all --holder token:ci --reason "token seen in a log"', 'end all of a holder'],
  ]);
}

function revocationsCommand(): Command {
  const command = new Command('revocations')
    .description('Shows how far revokes of many leases have got: the latest, or one.')
    .argument('[id]', 'of the revocation', readText)
    .option('--json', 'print lines of JSON')
    .action(
      act(async (id: string | undefined, flags: ShowFlags) =>
        (await import('../leases/revocations.js')).revocations(id, flags),
      ),
    );
  return withExamples(accessOptions(command), [['leasehold leases revocations', 'the latest, newest first']]);
}

function abandonCommand(): Command {
  const command = new Command('abandon')
    .description('Gives up the removal of a lease that cannot succeed. Its credential may go on working.')
    .argument('<lease-id>', 'of the lease', readLeaseId)
    .requiredOption('--reason <text>', 'why: kept and shown with the lease', readText)
    .option('--yes', 'do not ask for confirmation')
    .option('--json', 'print one line of JSON')
    .action(act(async (id: string, flags: AbandonFlags) => (await import('../leases/abandon.js')).abandon(id, flags)));
  return withExamples(accessOptions(command), [
    [
      'leasehold leases abandon abcdefghijklmnopqrstuvwx --reason "the account is closed"',
      'for a provider that is gone',
    ],
  ]);
}

const REVOKE_JSON =
  'With --json there is a line for each lease that was asked to end: lease_id, state (accepted while it is being removed), ' +
  'ended_at, ended_by, reason. With --all as an admin it is one line, of the revocation: leasehold leases revocations --json ' +
  'shows the same. With --dry-run it is a line for each lease, as leasehold leases list --json prints it.';
