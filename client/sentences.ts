import type { Undelivered } from './leases';

/** What is said of a lease whose credential did not reach the caller. */
export const UNDELIVERED_SENTENCES: Readonly<Record<Undelivered, string>> = {
  'revoke accepted': 'Its revoke was accepted: what was made is removed.',
  ended: 'It has ended.',
  'nothing started': 'Nothing was started.',
  'left alone': 'It was left alone, because another caller with this idempotency key may hold its credential.',
  unknown: 'Its revoke could not be confirmed: if it was started, it ends by its TTL.',
};
