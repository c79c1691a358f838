import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { quote } from '../../workflows/quote';
import { formatTtl } from '../../workflows/ttl';
import { LEASE_ID_PATTERN } from '../../workflows/words';
import type { RecipientKeyPair } from '../../sealing/recipient';
import { open } from '../../sealing/seal';
import { SealingError } from '../../sealing/sealing-error';
import { boundsOf, Interrupted } from '../bounds';
import type { Bounds } from '../bounds';
import type { KeepName } from '../identity';
import { checkIssue } from '../input';
import type { CheckedRequest } from '../input';
import { createLease } from '../lease';
import { LeaseError } from '../leases';
import type { IssueRequest, Lease, Leases, Undelivered } from '../leases';
import { makePair } from '../pair';
import { invalid, UNPRINTABLE } from '../refusals';
import { UNDELIVERED_SENTENCES } from '../sentences';
import { disownedBody, issuedBody } from '../wire';
import { ask, Lost } from './remote';
import type { Flight, Remote } from './remote';

/** An issue of which the holder is whoever the token stands for. */
export interface HttpIssueRequest extends Omit<IssueRequest, 'holder'> {
  /**
   * Who the lease is expected to be for, as it is kept: `token:ci`. Over HTTP it cannot be chosen: another one than the token's is
   * refused, and none is as good.
   */
  readonly holder?: string;
}

/** One call of `issue`. */
interface Order {
  readonly request: CheckedRequest;
  readonly pair: RecipientKeyPair;
  /** The caller's, or one of this call alone: under it what was started is found again, and is started once. */
  readonly key: string;
  /** Of the requests that may have started a lease. */
  readonly flight: Flight;
}

/** How long it is asked what became of a lease whose credential did not arrive. */
const GIVE_UP_AFTER_MS = 20_000;

/** See `Leases.issue`. */
export async function issueOverHttp(
  remote: Remote,
  leases: Pick<Leases, 'extend' | 'revoke'>,
  given: HttpIssueRequest,
): Promise<Lease> {
  const request = await checkIssue(given as IssueRequest, readHolder);
  const { recipient, idempotencyKey, timeoutMs, signal } = request;
  const bounds = boundsOf(timeoutMs, signal);
  const pair = recipient?.privateKey == null ? await makePair() : { ...recipient, privateKey: recipient.privateKey };
  const order: Order = {
    request,
    pair,
    key: readKey(idempotencyKey),
    flight: { mayHaveArrived: false, isUnanswered: false },
  };
  let leaseId: string | undefined;
  try {
    if (request.holder !== '') await requireHolder(remote, bounds, request.holder);
    const answer = await ask(
      remote,
      bounds,
      {
        method: 'POST',
        path: '/v1/leases',
        headers: keyHeader(order),
        body: { ...scopeOf(order), ...ttlOf(request) },
        harmless: true,
        flight: order.flight,
      },
      issuedBody,
    );
    leaseId = answer.lease_id;
    return createLease(leases, await openAnswer(order, answer));
  } catch (error) {
    throw await explain(remote, order, error, leaseId);
  }
}

async function requireHolder(remote: Remote, bounds: Bounds, expected: string): Promise<void> {
  const { holder } = await ask(remote, bounds, { method: 'GET', path: '/v1/whoami', harmless: true }, identityBody);
  if (holder !== expected)
    throw invalid('holder', `must be left out or be ${quote(holder)}, whom the token stands for`);
}

const identityBody = z.object({ holder: z.string() });

async function openAnswer(
  order: Order,
  answer: z.infer<typeof issuedBody>,
): Promise<Parameters<typeof createLease>[1]> {
  const { lease_id: leaseId, sealed, expires_at: expiresAt, usable_at: usableAt, facts, notes } = answer;
  if (sealed === undefined || !LEASE_ID_PATTERN.test(leaseId)) {
    throw new SealingError('NotOpened', 'No sealed credential was answered.');
  }
  return {
    leaseId,
    credential: await open(sealed, order.pair.privateKey, leaseId),
    expiresAt: new Date(expiresAt),
    usableAt: usableAt === null ? null : new Date(usableAt),
    facts,
    notes,
  };
}

/** Why there is no credential, and what became of the lease. */
async function explain(remote: Remote, order: Order, error: unknown, leaseId: string | undefined): Promise<LeaseError> {
  // The API has seen to what it started itself, and says so; of an earlier attempt it need not know.
  const isTold = error instanceof LeaseError && error.undelivered !== undefined;
  const isBegun = order.flight.mayHaveArrived;
  if (isTold && (error.undelivered !== 'nothing started' || !isBegun)) return error;
  // Of what the lease itself decided nothing is left; of an attempt before it, that got no answer, there may be.
  if (error instanceof LeaseError && error.code !== 'Unavailable' && !order.flight.isUnanswered) return error;
  const { code, message } = causeOf(order, error);
  const found = await disown(remote, order);
  const named = found.leaseId ?? leaseId;
  return new LeaseError(code, `${message} ${UNDELIVERED_SENTENCES[found.undelivered]}`, {
    undelivered: found.undelivered,
    ...(named === undefined ? {} : { leaseId: named }),
  });
}

function causeOf(order: Order, error: unknown): Pick<LeaseError, 'code' | 'message'> {
  if (error instanceof LeaseError) return error;
  if (error instanceof SealingError) {
    return { code: 'SealingFailed', message: `The answer to an issue cannot be used. ${error.message}` };
  }
  if (error instanceof Interrupted) {
    if (error.why === 'aborted') return { code: 'Aborted', message: 'The caller aborted the issue of a lease.' };
    const { timeoutMs } = order.request;
    const span = timeoutMs < 1_000 ? `${timeoutMs} ms` : formatTtl(timeoutMs);
    return { code: 'IssueTimeout', message: `No lease was issued within ${span}.` };
  }
  return { code: 'Unavailable', message: error instanceof Lost ? error.message : 'The lease could not be asked for.' };
}

interface Disowned {
  readonly undelivered: Undelivered;
  readonly leaseId?: string;
}

/** Sees to it that nothing is left of what this order may have started. */
async function disown(remote: Remote, order: Order): Promise<Disowned> {
  if (!order.flight.mayHaveArrived) return { undelivered: 'nothing started' };
  try {
    const { lease_id: leaseId, undelivered } = await ask(
      remote,
      boundsOf(GIVE_UP_AFTER_MS),
      {
        method: 'POST',
        path: '/v1/leases/undelivered',
        headers: keyHeader(order),
        body: { ...scopeOf(order), shared: order.request.recipient !== null },
        harmless: true,
      },
      disownedBody,
    );
    return { undelivered, leaseId };
  } catch {
    // The API itself revokes what it cannot deliver; only that it did is not known.
    return { undelivered: 'unknown' };
  }
}

function scopeOf({ request, pair }: Order): Readonly<Record<string, unknown>> {
  const { project, config, dynamicSecret } = request;
  return { project, config, dynamic_secret: dynamicSecret, recipient_jwk: pair.publicJwk };
}

function ttlOf({ ttlMs }: CheckedRequest): { readonly ttl?: number } {
  return ttlMs === null ? {} : { ttl: ttlMs / 1_000 };
}

function keyHeader({ key }: Order): Readonly<Record<string, string>> {
  return { 'idempotency-key': key };
}

/** A header holds printable ASCII, and no space at its ends: any other key is sent as its hash. */
function readKey(key: string | null): string {
  if (key === null) return randomUUID();
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(key)) return key;
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** Compared with whom the token stands for. */
const readHolder: KeepName = (value, field) => {
  if (value === undefined) return '';
  if (typeof value === 'string' && value !== '' && value.length <= 255 && !UNPRINTABLE.test(value)) return value;
  throw invalid(field, 'must be left out, or be whom the token stands for, e.g. token:ci');
};
