import { issuedBody } from '../../client/wire';
import type { IssuedBody } from '../../client/wire';
import type { Ttl } from '../../client/leases';
import { LeaseError } from '../../client/leases';
import type { LeaseService, SealedLease } from '../../client/service';
import { deriveRecipient } from '../../sealing/derive';
import type { RecipientKeyPair } from '../../sealing/recipient';
import { open } from '../../sealing/seal';
import type { RecipientJwk } from '../../workflows/contract';
import type { Identity } from '../identity/identity';
import type { Landed } from './flights';
import type { TakeBack } from '../take-back';

/** An issue as it is asked for over HTTP. */
export interface Wanted {
  readonly project: string;
  readonly config: string;
  readonly dynamicSecret: string;
  readonly ttl: Ttl | undefined;
  readonly idempotencyKey: string | undefined;
  readonly recipientJwk: RecipientJwk | undefined;
}

type Facts = Pick<SealedLease, 'leaseId' | 'expiresAt' | 'usableAt' | 'facts' | 'notes'>;

/**
 * Issues a lease, or gets it again. To whom the credential is sealed decides who can: a key of the caller's own, one that every
 * process derives from the caller's token and the request, or one that is made for this call and gone with it.
 */
export async function issueOver(
  { leases, takeBack }: { readonly leases: LeaseService; readonly takeBack: TakeBack },
  { holder, secret }: Identity,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Landed<IssuedBody>> {
  const { ttl, idempotencyKey, recipientJwk, ...what } = wanted;
  const request = {
    ...what,
    holder,
    signal,
    ...(ttl === undefined ? {} : { ttl }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
  const land = async (
    lease: Facts,
    started: boolean,
    open: () => Promise<Pick<IssuedBody, 'credential' | 'sealed'>>,
  ): Promise<Landed<IssuedBody>> => {
    try {
      return { answer: describe(lease, await open()), leaseId: lease.leaseId, holder, started };
    } catch (error) {
      if (started) await takeBack(lease.leaseId, holder);
      throw error;
    }
  };
  if (recipientJwk !== undefined) {
    const lease = await leases.issueSealed({ ...request, recipientJwk });
    return land(lease, lease.started, () => Promise.resolve({ sealed: lease.sealed }));
  }
  if (idempotencyKey === undefined || secret === null) {
    const lease = await leases.issue(request);
    return land(lease, true, () => Promise.resolve({ credential: { ...lease.credential } }));
  }
  // Not of the TTL: the same key with another one is told to be a mismatch, and not that somebody else has the credential.
  const { project, config, dynamicSecret } = what;
  const pair = await deriveRecipient(secret, [holder, project, config, dynamicSecret, idempotencyKey]);
  const lease = await leases.issueSealed({ ...request, recipientJwk: pair.publicJwk });
  return land(lease, lease.started, async () => ({ credential: await unseal(lease, pair) }));
}

async function unseal(
  { leaseId, sealed }: SealedLease,
  { privateKey }: RecipientKeyPair,
): Promise<Record<string, string>> {
  try {
    return await open(sealed, privateKey, leaseId);
  } catch {
    throw new LeaseError('SealingFailed', `The answer of lease ${leaseId} cannot be opened.`, { leaseId });
  }
}

/** Checked here and not while it is sent, so that what is not as described is found while the lease can still be taken back. */
function describe(
  { leaseId, expiresAt, usableAt, facts, notes }: Facts,
  credential: Pick<IssuedBody, 'credential' | 'sealed'>,
): IssuedBody {
  return issuedBody.parse({
    lease_id: leaseId,
    expires_at: expiresAt.toISOString(),
    usable_at: usableAt?.toISOString() ?? null,
    ...credential,
    facts,
    notes,
  });
}
