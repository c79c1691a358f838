import { randomUUID } from 'node:crypto';
import type { LeaseInput } from '../workflows/contract';
import { thumbprint } from '../sealing/recipient';
import type { CheckedRequest, Recipient } from './input';
import { deriveLeaseId, randomLeaseId } from './lease-id';
import { makePair } from './pair';
import type { Session } from './session';
import { boundsOf } from './waiting';
import type { Bounds } from './waiting';

/** One call of `issue`, from its start to its end. */
export interface Order {
  readonly leaseId: string;
  /** Names this call in what it starts. */
  readonly issue: string;
  readonly input: LeaseInput;
  readonly recipient: Recipient;
  /** Whether the id is this call's alone: no idempotency key. */
  readonly exclusive: boolean;
  /** Whether others may have the key pair too, and thereby the credential: the caller brought it. */
  readonly shared: boolean;
  readonly bounds: Bounds;
  readonly timeoutMs: number;
  /** Ends the request to the server once it is of no use any more. */
  readonly hangUp: AbortController;
  /** Whether a request was sent that may have started a lease, and whether the latest has been answered. */
  flight: 'none' | 'sent' | 'over';
}

/** Makes the key pair and the ids of one call. Its time begins now. */
export async function placeOrder(session: Session, request: CheckedRequest): Promise<Order> {
  const bounds = boundsOf(request.timeoutMs, request.signal);
  const { project, config, dynamicSecret, ttlMs, holder, idempotencyKey } = request;
  const recipient = request.recipient ?? (await makePair());
  const input: LeaseInput = {
    project,
    config,
    dynamicSecret,
    ttlMs,
    holder,
    recipient: recipient.publicJwk,
    thumbprint: await thumbprint(recipient.publicJwk),
  };
  const { deployment } = session;
  return {
    leaseId:
      idempotencyKey === null
        ? randomLeaseId()
        : deriveLeaseId({ deployment, holder, project, config, dynamicSecret, idempotencyKey }),
    issue: randomUUID(),
    input,
    recipient,
    exclusive: idempotencyKey === null,
    shared: request.recipient !== null,
    bounds,
    timeoutMs: request.timeoutMs,
    hangUp: new AbortController(),
    flight: 'none',
  };
}
