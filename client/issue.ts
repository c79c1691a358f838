import type { Claim } from '../workflows/contract';
import { formatTtl } from '../workflows/ttl';
import { open } from '../sealing/seal';
import { SealingError } from '../sealing/sealing-error';
import { claimLease } from './claiming';
import type { Claimed } from './claiming';
import { revokeLease } from './end';
import { extendLease } from './extend';
import { toLeaseError } from './failures';
import { checkIssue, checkSealedIssue } from './input';
import { createLease } from './lease';
import { LeaseError } from './leases';
import type { IssueRequest, Lease, Leases } from './leases';
import { look } from './look';
import type { Order } from './order';
import { placeOrder } from './order';
import { UNDELIVERED_SENTENCES } from './sentences';
import type { SealedIssueRequest, SealedLease } from './service';
import type { Session } from './session';
import { revokeUndelivered } from './undelivered';
import { boundsOf, Interrupted, isTooLate, within } from './waiting';

/** See `Leases.issue`. */
export async function issueLease(session: Session, request: IssueRequest): Promise<Lease> {
  const order = await placeOrder(session, await checkIssue(request, session.keptName));
  return carryOut(session, order, async ({ claim }) => {
    const { privateKey } = order.recipient;
    if (privateKey === null) throw new LeaseError('SealingFailed', 'The key that opens the credential is not here.');
    const credential = await open(claim.sealed, privateKey, order.leaseId);
    const leases: Pick<Leases, 'extend' | 'revoke'> = {
      extend: (leaseId, ttl, options) => extendLease(session, leaseId, ttl, options),
      revoke: (leaseId, options) => revokeLease(session, leaseId, options, order.input.holder),
    };
    return createLease(leases, { ...factsOf(claim), credential });
  });
}

/** See `LeaseService.issueSealed`. */
export async function issueSealed(session: Session, request: SealedIssueRequest): Promise<SealedLease> {
  const order = await placeOrder(session, await checkSealedIssue(request, session.keptName));
  return carryOut(session, order, ({ claim, started }) =>
    Promise.resolve({ ...factsOf(claim), started, sealed: claim.sealed }),
  );
}

/** What a claim tells beside the credential. */
function factsOf({ leaseId, expiresAt, usableAt, facts, notes }: Claim): Omit<SealedLease, 'sealed' | 'started'> {
  return {
    leaseId,
    expiresAt: new Date(expiresAt),
    usableAt: usableAt === null ? null : new Date(usableAt),
    facts,
    notes,
  };
}

/** Claims the lease and hands it over, or sees to it that none is left. */
async function carryOut<T>(session: Session, order: Order, handOver: (claimed: Claimed) => Promise<T>): Promise<T> {
  try {
    return await handOver(await claimLease(session, order));
  } catch (error) {
    throw await explain(session, order, error);
  } finally {
    order.hangUp.abort();
  }
}

async function explain(session: Session, order: Order, error: unknown): Promise<LeaseError> {
  const { leaseId } = order;
  // Of what the lease itself decided nothing is left to revoke. Unavailable may also mean that we lost sight of it.
  if (error instanceof LeaseError && error.code !== 'Unavailable') return error;
  const why = await causeOf(session, order, error);
  const undelivered = await revokeUndelivered(session, order);
  return new LeaseError(why.code, `${why.message} ${UNDELIVERED_SENTENCES[undelivered]}`, { leaseId, undelivered });
}

async function causeOf(session: Session, order: Order, error: unknown): Promise<Pick<LeaseError, 'code' | 'message'>> {
  const { leaseId } = order;
  if (error instanceof SealingError) {
    return { code: 'SealingFailed', message: `The answer of lease ${leaseId} cannot be used. ${error.message}` };
  }
  if (error instanceof Interrupted && error.why === 'aborted') {
    return { code: 'Aborted', message: `The caller aborted the issue of lease ${leaseId}.` };
  }
  if (isTooLate(error)) {
    return { code: 'IssueTimeout', message: await explainTimeout(session, order) };
  }
  const { code, message } = toLeaseError(error);
  return { code, message };
}

async function explainTimeout(session: Session, order: Order): Promise<string> {
  const span = order.timeoutMs < 1_000 ? `${order.timeoutMs} ms` : formatTtl(order.timeoutMs);
  if (await isUntaken(session, order)) {
    return `No worker answered within ${span}; is a worker running for namespace ${JSON.stringify(session.namespace)}?`;
  }
  return `Lease ${order.leaseId} was not issued within ${span}.`;
}

async function isUntaken(session: Session, order: Order): Promise<boolean> {
  try {
    const found = await within(session, boundsOf(DIAGNOSIS_MS), () => look(session, order.leaseId));
    return found !== null && !found.taken;
  } catch {
    // Only the wording depends on it; what is wrong with the server is met again by the revoke that follows.
    return false;
  }
}

const DIAGNOSIS_MS = 2_000;
