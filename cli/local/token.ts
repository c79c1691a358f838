import { stringify } from 'yaml';
import type { z } from 'zod';
import { makeToken } from '../../api/identity/token';
import { tokenSchema } from '../../config/access';
import { nameSchema } from '../../config/rights';
import { checkWith } from '../../config/sentences';
import { parseTtl, TtlError } from '../../workflows/ttl';
import type { TokenFlags } from '../commands/token';
import { EXIT, UsageError } from '../exit';

type Entry = z.input<typeof tokenSchema>;

/** What the fields of an entry are called on the command line. */
const FLAGS: Readonly<Record<string, string>> = {
  scopes: '--scope',
  rights: '--right',
  expires_at: '--expires-at',
  subject: '--subject',
};

/** See `tokenCommand`. */
export function createToken(given: string, flags: TokenFlags): number {
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

function checkName(given: string): string {
  const checked = nameSchema.safeParse(given);
  if (checked.success) return checked.data;
  throw new UsageError(`The name ${checked.error.issues[0]?.message ?? 'is not allowed'}.`);
}

/** @throws UsageError that names the flag. */
function makeEntry(hash: string, flags: TokenFlags, now: Date): Entry {
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

function readEnd({ expires, expiresAt }: TokenFlags, now: Date): string | undefined {
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
