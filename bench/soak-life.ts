/** What happens to one lease of the soak. */
export interface Life {
  readonly over: 'library' | 'http';
  readonly ttlMs: number;
  /** After it was issued: it is extended once, by its TTL. Null: not at all. */
  readonly extendAfterMs: number | null;
  /** After it was issued. Null: it ends by its expiry. */
  readonly revokeAfterMs: number | null;
}

const SHORTEST_TTL_S = 8;
const LONGEST_TTL_S = 30;

/**
 * The life of the lease of this number: half of them are issued through the library and half through HTTP, half are revoked, a third is
 * extended, each independently of the others, and all TTLs from 8 s to 30 s occur equally often.
 */
export function lifeOf(index: number): Life {
  const ttlMs = (SHORTEST_TTL_S + (index % (LONGEST_TTL_S - SHORTEST_TTL_S + 1))) * 1_000;
  const isRevoked = Math.floor(index / 2) % 2 === 0;
  const isExtended = Math.floor(index / 4) % 3 === 0;
  return {
    over: index % 2 === 0 ? 'library' : 'http',
    ttlMs,
    extendAfterMs: isExtended ? ttlMs * 0.4 : null,
    revokeAfterMs: isRevoked ? ttlMs * 0.7 : null,
  };
}
