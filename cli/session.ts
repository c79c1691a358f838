import type { Lease, OfferedSecret } from '../client/http';
import { findPlace } from './access';
import type { SessionFlags } from './commands/credential-process';
import { requireReader } from './deliver';
import { FailedError, UsageError } from './exit';
import { leaseAndPrint } from './leases/hand-over';
import { withLeases } from './leases/with-leases';
import { requireOffered } from './offered';
import { checkTtlOf } from './together';
import { readSeconds } from './ttl';

const FIELDS = ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN'] as const;

/** See `credentialProcessCommand`. */
export async function printSession(dynamicSecret: string, flags: SessionFlags): Promise<number> {
  const checkedTtl: { readonly ttl?: number } = flags.ttl === undefined ? {} : { ttl: readSeconds(flags.ttl, '--ttl') };
  requireReader();
  return withLeases(flags, async (leases) => {
    const place = await findPlace(leases, flags);
    const offered = await requireOffered(leases, place, dynamicSecret);
    requireSessions(offered);
    checkTtlOf([offered], checkedTtl.ttl);
    return leaseAndPrint(
      leases,
      { ...place, dynamicSecret, ...checkedTtl },
      { write: (lease) => `${describe(lease)}\n` },
    );
  });
}

/** @throws UsageError of what yields something else, before anything is made. */
function requireSessions({ dynamicSecret, fields }: OfferedSecret): void {
  const missing = FIELDS.filter((field) => !fields.includes(field));
  if (missing.length === 0) return;
  throw new UsageError(
    `${dynamicSecret} yields no ${missing.join(', ')}, and nothing was made. credential-process is for role sessions (aws_sts) alone: ` +
      'AWS programs call it again and again, and each time would make another IAM user.',
  );
}

function describe(lease: Lease): string {
  const [AccessKeyId, SecretAccessKey, SessionToken] = FIELDS.map((field) => lease.credential[field]);
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
    throw new FailedError('What was issued is no role session: its dynamic secret has just changed.');
  }
  // The end of the lease and not that of the session: from then on it is being removed.
  const Expiration = lease.expiresAt.toISOString().replace(/\.[0-9]+Z$/, 'Z');
  return JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey, SessionToken, Expiration });
}
