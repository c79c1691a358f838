import { Command } from 'commander';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { makeToken } from '../api/identity/token';
import { tokenSchema } from '../config/access';
import { nameSchema } from '../config/rights';
import { checkWith } from '../config/sentences';
import { parseTtl, TtlError } from '../workflows/ttl';
import { EXIT, exitWith, UsageError } from './exit';

interface Flags {
  readonly scope?: readonly string[];
  readonly right?: readonly string[];
  readonly expires?: string;
  readonly expiresAt?: string;
  readonly subject?: string;
  readonly json?: boolean;
}

type Entry = z.input<typeof tokenSchema>;

/** What the fields of an entry are called on the command line. */
const FLAGS: Readonly<Record<string, string>> = {
  scopes: '--scope',
  rights: '--right',
  expires_at: '--expires-at',
  subject: '--subject',
};

/** `leasehold token`: what there is to do about tokens of the HTTP API. */
export function tokenCommand(): Command {
  return new Command('token').description('Makes tokens for the HTTP API.').addCommand(createCommand());
}

function createCommand(): Command {
  return new Command('create')
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
    .addHelpText(
      'after',
      '\nStandard output gets the token and nothing else, standard error the entry for the configuration.\n' +
        'No file is written: (umask 077; leasehold token create ci --scope backend/prd > ci.token) keeps the token.',
    )
    .action((name: string, flags: Flags) =>
      exitWith(
        () =>
          new Promise((resolve) => {
            resolve(create(name, flags));
          }),
      ),
    );
}

function create(given: string, flags: Flags): number {
  const name = checkName(given);
  const { token, hash } = makeToken(name);
  const entry = makeEntry(hash, flags, new Date());
  const fragment = { access: { tokens: { [name]: entry } } };
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ name, token, config: fragment })}\n`);
    return EXIT.done;
  }
  process.stderr.write(`${describe(fragment, entry)}\n`);
  process.stdout.write(`${token}\n`);
  return EXIT.done;
}

function collect(value: string, sofar: readonly string[] = []): readonly string[] {
  return [...sofar, value];
}

function checkName(given: string): string {
  const checked = nameSchema.safeParse(given);
  if (checked.success) return checked.data;
  throw new UsageError(`The name ${checked.error.issues[0]?.message ?? 'is not allowed'}.`);
}

/** @throws UsageError that names the flag. */
function makeEntry(hash: string, flags: Flags, now: Date): Entry {
  const { scope, right, subject } = flags;
  if (scope === undefined)
    throw new UsageError('--scope is missing: name at least one project/config, project/* or *.');
  const end = readEnd(flags, now);
  const entry: Entry = {
    hash,
    ...(subject === undefined ? {} : { subject }),
    scopes: [...new Set(scope)],
    ...(right === undefined ? {} : { rights: [...new Set(right)] as Entry['rights'] }),
    ...(end === undefined ? {} : { expires_at: end }),
  };
  const checked = checkWith(tokenSchema, entry, []);
  if ('value' in checked) return refuseEnded(entry, now);
  const sentences = checked.findings.map(({ path, message }) => {
    const field = String(path[0]);
    return `${FLAGS[field] ?? field} ${message}.`;
  });
  throw new UsageError(sentences.join('\n'));
}

function readEnd({ expires, expiresAt }: Flags, now: Date): string | undefined {
  if (expires === undefined) return expiresAt;
  if (expiresAt !== undefined) throw new UsageError('--expires and --expires-at cannot both be given.');
  try {
    return new Date(now.getTime() + parseTtl(expires)).toISOString().replace(/\.[0-9]+Z$/, 'Z');
  } catch (error) {
    throw error instanceof TtlError ? new UsageError(`--expires: ${error.message}`) : error;
  }
}

function refuseEnded(entry: Entry, now: Date): Entry {
  if (entry.expires_at === undefined || new Date(entry.expires_at) > now) return entry;
  throw new UsageError('The token would have ended by now: choose a later --expires or --expires-at.');
}

function describe(fragment: unknown, { expires_at: end }: Entry): string {
  return [
    'Put this into the configuration, beside the other tokens; it holds no secret:',
    '',
    stringify(fragment, { lineWidth: 0 }).trimEnd(),
    '',
    end === undefined ? 'The token does not expire: --expires 90d makes one that does.' : `The token ends at ${end}.`,
    'It is valid once the API has read the configuration. Standard output has the token, now and never again.',
    '',
  ].join('\n');
}
