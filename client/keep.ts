import { checkSignal, checkTimeout, checkTtl } from './input';
import { begin, createKeeping, finish } from './keeping';
import { LeaseError } from './leases';
import type { IssueRequest, Lease, Ttl } from './leases';
import { invalid } from './refusals';

export { mayHelp } from './keeping';

/** Leases of either kind. */
export interface KeptFrom<Request> {
  readonly issue: (request: Request) => Promise<Lease>;
}

/** An issue that is made again and again: each is another lease, so that there is no idempotency key. */
export type KeepRequest<Request> = Omit<Request, 'idempotencyKey' | 'signal'>;

export interface KeepOptions {
  /**
   * Called with the first lease, and with each that takes the place of another while that one is still good. Once it has finished,
   * the program is taken to use the new credential. If it fails, the new lease is revoked and another one made later.
   */
  readonly onCredential: (lease: Lease) => void | Promise<void>;
  /** Called with what went wrong and is tried again. What it throws is ignored. */
  readonly onError?: (error: unknown) => void;
  /**
   * If given, a lease that cannot be extended any further is left to its end instead of replaced, and this is called once, with the
   * refusal and that end. For programs that cannot take over another credential. What it throws is ignored.
   */
  readonly onLimit?: (refusal: unknown, lease: Lease, expiresAt: Date) => void;
  /**
   * The longest that one of these leases may live in all, if that is known: the last extension then goes only as far as that, instead
   * of being refused.
   */
  readonly maxTtl?: Ttl;
  /** How long a replaced lease goes on for the calls that are under way, in milliseconds. Default: 30,000. */
  readonly overlapMs?: number;
  /** Ends the keeping as `close` does. */
  readonly signal?: AbortSignal;
}

/** A credential that is kept fresh. */
export interface Kept {
  /** The lease in use. */
  readonly lease: Lease;
  /** When it ends unless it is extended again, which it is in time. */
  readonly expiresAt: Date;
  /**
   * Ends the keeping: no further `onCredential`, and all leases are revoked.
   * @throws LeaseError if a revoke could not be had accepted for a while; that lease ends by its TTL.
   */
  close(): Promise<void>;
}

/**
 * Leases a credential and keeps it fresh until it is closed: extends the lease at about two thirds of its TTL, and where that is not
 * possible, as at its maximum TTL, makes another one and hands it over before the old one ends, unless it is to be left. What fails is
 * tried again for as long as it takes.
 * @returns once `onCredential` has taken the first credential.
 * @throws LeaseError if the first lease cannot be had; whatever `onCredential` throws of it.
 */
export async function keep<Request extends Omit<IssueRequest, 'holder'>>(
  leases: KeptFrom<Request>,
  request: KeepRequest<Request>,
  options: KeepOptions,
): Promise<Kept> {
  const { onCredential, onError, onLimit, maxTtl, overlapMs, signal } = checkOptions(options);
  // Plain JavaScript can give what the type leaves out.
  const odd = ['idempotencyKey', 'signal'].find((field) => Object.hasOwn(request, field));
  if (odd !== undefined) throw invalid(odd, 'must be left out of what is kept: each lease is a new one');
  const keeping = createKeeping({
    issue: (closed) => leases.issue({ ...request, signal: closed } as unknown as Request),
    ttl: request.ttl,
    onCredential,
    onError: onError ?? (() => undefined),
    ...(onLimit === undefined ? {} : { onLimit }),
    ...(maxTtl === undefined ? {} : { maxTtl }),
    ...(overlapMs === undefined ? {} : { overlapMs }),
  });
  const { closing, tell } = keeping;
  const abort = (): void => {
    closing.abort();
  };
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  let ended: Promise<void> | null = null;
  const close = (going: Promise<void>): Promise<void> => {
    signal?.removeEventListener('abort', abort);
    abort();
    return (ended ??= finish(keeping, going));
  };
  const going = await begin(keeping).catch((error: unknown) => {
    signal?.removeEventListener('abort', abort);
    throw error;
  });
  // Nobody waits for an end that comes by the signal.
  closing.signal.addEventListener('abort', () => void close(going.ended).catch(tell), { once: true });
  if (closing.signal.aborted) void close(going.ended).catch(tell);
  try {
    await Promise.race([going.taken, closedWith(closing.signal)]);
  } catch (error) {
    await close(going.ended).catch(tell);
    throw error;
  }
  return {
    get lease() {
      return keeping.held().lease;
    },
    get expiresAt() {
      return keeping.held().expiresAt;
    },
    close: () => close(going.ended),
  };
}

/** Rejected once the keeping is closed. */
function closedWith(closed: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const refuse = (): void => {
      reject(new LeaseError('Aborted', 'The keeping was closed before its first credential was taken over.'));
    };
    if (closed.aborted) refuse();
    closed.addEventListener('abort', refuse, { once: true });
  });
}

function checkOptions(options: KeepOptions): KeepOptions {
  const { onCredential, onError, onLimit, maxTtl, overlapMs, signal } = options;
  if (typeof onCredential !== 'function') throw invalid('onCredential', 'must be a function');
  if (onError !== undefined && typeof onError !== 'function') throw invalid('onError', 'must be a function');
  if (onLimit !== undefined && typeof onLimit !== 'function') throw invalid('onLimit', 'must be a function');
  if (maxTtl !== undefined) checkTtl(maxTtl, 'maxTtl');
  checkTimeout(overlapMs, 'overlapMs');
  checkSignal(signal);
  return options;
}
