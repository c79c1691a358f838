import { Command } from 'commander';
import { connectHttpLeases, LeaseError } from '../client/http';
import type { HttpLeases, Lease } from '../client/http';
import { apiAccess } from '../config/environment';
import { parseTtl, TtlError } from '../workflows/ttl';
import { EXIT, exitWith, FailedError, tellError, UsageError } from './exit';
import { listenForInterrupt } from './interrupt';

interface Flags {
  readonly project: string;
  readonly config: string;
  readonly ttl?: string;
}

const FIELDS = ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN'] as const;

/** `leasehold credential-process`: what a profile of AWS's configuration files names as its `credential_process`. */
export function credentialProcessCommand(): Command {
  return new Command('credential-process')
    .description('Leases an AWS role session and prints it as credential_process of an AWS profile expects it.')
    .argument('<dynamic-secret>', 'name of a dynamic secret that yields role sessions (aws_sts)')
    .requiredOption('--project <project>', 'its project')
    .requiredOption('--config <config>', 'its config')
    .option('--ttl <duration>', "how long it lives, e.g. 30m (default: the dynamic secret's own)")
    .addHelpText(
      'after',
      '\nThe HTTP API is set by LEASEHOLD_HOST, e.g. https://leasehold.internal:8443, and LEASEHOLD_TOKEN.\n' +
        'Each run makes another session, which nobody can end before its time. AWS programs renew what has less than\n' +
        '15 minutes left: choose a TTL of half an hour or so.',
    )
    .action((dynamicSecret: string, flags: Flags) => exitWith(() => print(dynamicSecret, flags)));
}

async function print(dynamicSecret: string, { project, config, ttl }: Flags): Promise<number> {
  const checkedTtl = ttl === undefined ? {} : { ttl: readTtl(ttl) };
  const leases = connect();
  const interrupt = listenForInterrupt();
  const { signal } = interrupt;
  try {
    await requireSessions(leases, { project, config, dynamicSecret });
    const lease = await leases.issue({ project, config, dynamicSecret, ...checkedTtl, signal });
    process.stdout.write(`${await describe(lease)}\n`);
    return EXIT.done;
  } catch (error) {
    const code = tellError(error);
    return signal.aborted ? EXIT.interrupted : code;
  } finally {
    interrupt.close();
    await leases.close();
  }
}

function connect(): HttpLeases {
  const access = apiAccess();
  try {
    return connectHttpLeases(access);
  } catch (error) {
    if (!(error instanceof LeaseError)) throw error;
    throw new UsageError(
      error.field === 'url'
        ? 'LEASEHOLD_HOST must be the address of the HTTP API, e.g. https://leasehold.internal:8443.'
        : 'LEASEHOLD_TOKEN is no token of the HTTP API.',
    );
  }
}

/** @throws UsageError of what yields something else, before anything is made. */
async function requireSessions(
  leases: HttpLeases,
  {
    project,
    config,
    dynamicSecret,
  }: { readonly project: string; readonly config: string; readonly dynamicSecret: string },
): Promise<void> {
  const offered = await leases.offered(project, config);
  const found = offered.find((each) => each.dynamicSecret === dynamicSecret);
  if (found === undefined) {
    throw new UsageError(
      `There is no dynamic secret ${JSON.stringify(dynamicSecret)} in ${JSON.stringify(`${project}/${config}`)}, or the token may not see it.`,
    );
  }
  const missing = FIELDS.filter((field) => !found.fields.includes(field));
  if (missing.length === 0) return;
  throw new UsageError(
    `${dynamicSecret} yields no ${missing.join(', ')}, and nothing was made. credential-process is for role sessions (aws_sts) alone: ` +
      'AWS programs call it again and again, and each time would make another IAM user.',
  );
}

async function describe(lease: Lease): Promise<string> {
  const [AccessKeyId, SecretAccessKey, SessionToken] = FIELDS.map((field) => lease.credential[field]);
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
    await lease.revoke({ reason: 'no role session' });
    throw new FailedError('What was issued is no role session, and was revoked: its dynamic secret has just changed.');
  }
  // The end of the lease and not that of the session: from then on it is being removed.
  const Expiration = lease.expiresAt.toISOString().replace(/\.[0-9]+Z$/, 'Z');
  return JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey, SessionToken, Expiration });
}

function readTtl(text: string): number {
  try {
    return parseTtl(text) / 1_000;
  } catch (error) {
    throw error instanceof TtlError ? new UsageError(`--ttl: ${error.message}`) : error;
  }
}
