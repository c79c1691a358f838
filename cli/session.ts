import type { Lease, OfferedSecret } from '../client/http';
import { connect, findPlace } from './access';
import type { SessionFlags } from './commands/credential-process';
import { EXIT, FailedError, tellError, UsageError } from './exit';
import { listenForInterrupt } from './interrupt';
import { handOver } from './leases/hand-over';
import { requireOffered } from './offered';
import { checkTtlOf } from './together';
import { readSeconds } from './ttl';

const FIELDS = ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN'] as const;

/** See `credentialProcessCommand`. */
export async function printSession(dynamicSecret: string, flags: SessionFlags): Promise<number> {
  const checkedTtl: { readonly ttl?: number } = flags.ttl === undefined ? {} : { ttl: readSeconds(flags.ttl, '--ttl') };
  const leases = await connect(flags);
  const interrupt = listenForInterrupt({ hangUp: true });
  const { signal } = interrupt;
  try {
    const place = await findPlace(leases, flags);
    const offered = await requireOffered(leases, place, dynamicSecret);
    requireSessions(offered);
    checkTtlOf([offered], checkedTtl.ttl);
    const lease = await leases.issue({ ...place, dynamicSecret, ...checkedTtl, signal });
    await handOver(lease, `${await describe(lease)}\n`, signal);
    return EXIT.done;
  } catch (error) {
    const code = tellError(error);
    return signal.aborted ? EXIT.interrupted : code;
  } finally {
    interrupt.close();
    await leases.close();
  }
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
