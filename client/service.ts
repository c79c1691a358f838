import { WorkflowNotFoundError } from '@temporalio/common';
import { abandon } from '../workflows/contract';
import type { RecipientJwk } from '../workflows/contract';
import type { Reach } from '../temporal/query';
import { CALL_TIMEOUT_MS } from '../temporal/service';
import { disownLease } from './disown';
import { notFound, revokeLease, terminated } from './end';
import { extendLease } from './extend';
import { toLeaseError } from './failures';
import { keepVerified } from './identity';
import { issueLease, issueSealed } from './issue';
import { checkLeaseId, checkRevoke } from './input';
import { LeaseError } from './leases';
import type { IssueRequest, LeaseFilter, Leases, LeaseSummary, SeenState, Undelivered } from './leases';
import { look } from './look';
import { pageLeases } from './page';
import { getLease, listLeases } from './read';
import type { Session } from './session';
import { boundsOf, within } from './waiting';

/** An issue whose credential this process must not be able to read. */
export interface SealedIssueRequest extends Omit<IssueRequest, 'recipient'> {
  /** The public key to which it is sealed (X25519 or P-256). */
  readonly recipientJwk: RecipientJwk;
}

/** An issued lease whose credential only the holder of the private key can open. */
export interface SealedLease {
  readonly leaseId: string;
  /** Whether this call started the lease; false: it was there already under the idempotency key. */
  readonly started: boolean;
  /** Compact JWE, to be opened with `openSealed`. */
  readonly sealed: string;
  readonly expiresAt: Date;
  readonly usableAt: Date | null;
  readonly facts: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

/** Which issue it was whose answer did not reach its caller. */
export interface DisownRequest extends Omit<SealedIssueRequest, 'ttl' | 'signal' | 'timeoutMs'> {
  readonly idempotencyKey: string;
  /** Whether another caller may hold the key pair, and with it the credential. */
  readonly shared: boolean;
  /** Told which lease it is before anything is done to it. */
  readonly onFound?: (leaseId: string) => Promise<void>;
}

export interface Disowned {
  readonly leaseId: string;
  readonly undelivered: Undelivered;
}

/** Leases as one page. */
export interface LeasePage {
  readonly leases: readonly LeaseSummary[];
  /** Where the next page begins; null: this was the last one. */
  readonly next: string | null;
}

/**
 * `Leases` for a process that has looked at who asks: `holder` and `by` are `<issuer alias>:<subject>` and kept as they are.
 */
export interface LeaseService extends Leases {
  /** As `issue`; the credential is handed out sealed. */
  issueSealed(request: SealedIssueRequest): Promise<SealedLease>;
  /**
   * Revokes what an issue with an idempotency key started, for a caller that did not get the answer; tells what has become of it.
   * What was issued to another key pair is left alone. So is what another caller may have, unless its issue was given up.
   */
  disown(request: DisownRequest): Promise<Disowned>;
  /**
   * One page of what `list` finds; it may be shorter than asked for although more follow.
   * @param cursor the `next` of the page before, of the same filter.
   * @param within in one of which the leases must be; absent: anywhere. Of others not even the cursor tells.
   */
  page(filter: LeaseFilter, cursor: string | null, within?: readonly Reach[]): Promise<LeasePage>;
  /** Ends the workflow without a removal; what is left at the provider is the sweep's. Refused by a lease that has ended. */
  abandon(leaseId: string, options: { readonly by: string; readonly reason: string }): Promise<void>;
}

/** @param session its names are taken for verified ones. */
export function createLeaseService(given: Omit<Session, 'keptName'>): LeaseService {
  const session: Session = { ...given, keptName: keepVerified };
  return {
    issue: (request) => issueLease(session, request),
    issueSealed: (request) => issueSealed(session, request),
    disown: (request) => disownLease(session, request),
    extend: (leaseId, ttl, options) => extendLease(session, leaseId, ttl, options),
    revoke: (leaseId, options) => revokeLease(session, leaseId, options),
    get: (leaseId) => getLease(session, leaseId),
    list: (filter) => listLeases(session, filter),
    page: (filter, cursor, within) => pageLeases(session, filter, cursor, within),
    abandon: (leaseId, options) => abandonLease(session, leaseId, options),
  };
}

async function abandonLease(
  session: Session,
  leaseId: string,
  options: { readonly by: string; readonly reason: string },
): Promise<void> {
  const id = checkLeaseId(leaseId);
  const { by, reason } = checkRevoke(options, session.keptName);
  try {
    await within(session, boundsOf(CALL_TIMEOUT_MS), async () => {
      const found = await look(session, id);
      if (found === null) throw notFound(id);
      const { state } = found.summary;
      if (state === 'terminated') throw terminated(id);
      if (found.closed) throw ended(id, state);
      await session.client.workflow.getHandle(id, found.runId).signal(abandon, {
        by: by ?? 'unknown',
        reason: reason ?? 'unknown',
      });
    });
  } catch (error) {
    // It was there a moment ago.
    if (error instanceof WorkflowNotFoundError) throw ended(id);
    throw toLeaseError(error, { leaseId: id });
  }
}

function ended(leaseId: string, state?: SeenState): LeaseError {
  return state === undefined
    ? new LeaseError('LeaseEnded', `Lease ${leaseId} has just ended.`, { leaseId })
    : new LeaseError('LeaseEnded', `Lease ${leaseId} has ended: it is ${state}.`, { leaseId, state });
}
