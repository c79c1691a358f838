import { constants } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { FORMAT_NAMES } from '../../flat/format-names';
import type { FormatName } from '../../flat/format-names';
import { placeOptions } from '../access-options';
import type { PlaceFlags } from '../access-options';
import { act } from '../action';
import { withExamples, withNotes } from '../examples';
import { readCount } from '../filter-options';
import { readNames } from '../../worker/flags';

export const ON_EXPIRY = ['end', 'restart', 'signal'] as const;

export interface RunFlags extends PlaceFlags {
  readonly dynamicTtl?: string;
  readonly onlySecrets?: readonly string[];
  /** True: all. */
  readonly preserveEnv?: true | readonly string[];
  readonly onExpiry: (typeof ON_EXPIRY)[number];
  readonly expirySignal: NodeJS.Signals;
  readonly mount?: string;
  readonly mountFormat: FormatName;
  readonly mountMaxReads?: number;
  readonly killAfter?: string;
}

/** `leasehold run`: a program with leased credentials in its environment. */
export function runCommand(): Command {
  const command = new Command('run')
    .description('Runs a program with secrets and leased credentials in its environment, and ends the leases with it.')
    .argument('<command...>', 'the program and its arguments, after --')
    .option('--ttl, --dynamic-ttl <duration>', "TTL of the leases, e.g. 15m (default: each dynamic secret's own)")
    .option(
      '--only-secrets <names>',
      'only these, comma-separated: static secrets, dynamic secrets, or single names of those; nothing else is leased',
      readNames,
    )
    .option(
      '--preserve-env [names]',
      'variables that are already set win over secrets: all, or these, comma-separated after = (default: secrets win)',
      readNames,
    )
    .addOption(
      new Option('--on-expiry <deed>', 'when a lease cannot be extended any further, see below')
        .choices(ON_EXPIRY)
        .default('end'),
    )
    .addOption(
      new Option('--expiry-signal <signal>', 'what --on-expiry signal sends, e.g. HUP with --mount')
        .argParser(readSignal)
        .default('SIGTERM'),
    )
    .option('--mount <path>', 'hand the secrets out in a named pipe at this path instead of in variables')
    .addOption(
      new Option('--mount-format <format>', 'how they are written there').choices(FORMAT_NAMES).default('json'),
    )
    .option('--mount-max-reads <number>', 'how often the pipe can be read (default: as often as wanted)', readCount)
    .option(
      '--kill-after <duration>',
      'kills the program if it still runs so long after TERM, HUP, or an INT or QUIT that was not typed (default: never)',
    )
    .passThroughOptions()
    .action(act(async (argv: string[], flags: RunFlags) => (await import('../run/run.js')).run(argv, flags)));
  return withExamples(withNotes(placeOptions(command), ...NOTES), [
    ['leasehold run --project backend --config prd -- aws s3 ls', 'run a program on a leased AWS key'],
    [
      'leasehold run --only-secrets DB_READER --ttl 15m -- ./report',
      'lease one dynamic secret, for 15 minutes that are extended while the program runs',
    ],
    ['leasehold run --on-expiry restart -- ./server', 'start the program again with fresh credentials when it must be'],
    ['leasehold run --preserve-env=AWS_REGION -- ./server', 'let the AWS_REGION that is set here stand'],
    [
      'leasehold run --mount secrets.json --on-expiry signal --expiry-signal HUP -- ./server',
      'a program that reads a file, and reads it again at SIGHUP',
    ],
  ]);
}

const NOTES = [
  `Variables:
  A dynamic secret DB_READER yields DB_READER_<FIELD> for each field of its credential, DB_READER_LEASE_ID, and DB_READER_LEASE_EXPIRES_AT: when the lease was to end as the program started, since it is extended later.
  A secret takes the place of a variable that is set, unless --preserve-env says otherwise: for all variables, or for those named after =, as in --preserve-env=A,B. Put -- before the program, so that its name is not taken for one of these.
  Secrets named PATH, HOME, PS1, IFS, BASH_ENV, PROMPT_COMMAND, LD_* and DYLD_* are never handed out as variables; those by which shells, interpreters and tools run code, as NODE_OPTIONS, PYTHONPATH, JAVA_TOOL_OPTIONS and GIT_SSH_COMMAND, only where --only-secrets names them. What is left out is told. LEASEHOLD_TOKEN and LEASEHOLD_TOKEN_FILE are not passed on to the program unless --preserve-env names them.`,
  `Leases:
  Each is extended at about two thirds of its TTL while the program runs, and revoked when it ends, however it ends. If this process is killed with SIGKILL, the leases end by their TTL. Where a lease cannot be extended, as at its maximum TTL, --on-expiry says what comes:
    end      a warning on standard error says when the lease ends, and the program goes on
    restart  the program is ended and started again with fresh credentials, which work before it is ended
    signal   --expiry-signal is sent to the program in good time; with --mount, fresh credentials can be read then
  Replaced leases go on for 30 seconds, for what is still under way with them.`,
  `Mount:
  Each open of the pipe reads all secrets, one reader after the other: what two open in the same hundredth of a second is divided between them. Its path is in LEASEHOLD_SECRETS_PATH. Only this user can read it and nothing of it is on a disk. After SIGKILL the pipe stays behind, empty.`,
];

function readSignal(text: string): NodeJS.Signals {
  const name = text.toUpperCase().replace(/^(SIG)?/, 'SIG');
  const known = Object.keys(constants.signals).find((each): each is NodeJS.Signals => each === name);
  if (known === undefined) throw new InvalidArgumentError('Give the name of a signal, e.g. TERM or SIGHUP.');
  return known;
}
