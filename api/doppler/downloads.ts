import { createHmac, randomBytes } from 'node:crypto';
import { resolveReference } from '../../config/reference';
import type { ConfigSettings } from '../place';

/** Who downloads what from where: one program, as far as can be told. */
export interface Downloader {
  readonly tokenId: string;
  readonly holder: string;
  readonly source: string;
  readonly project: string;
  readonly config: string;
}

/** Leases that were handed out together. */
export interface LeaseSet {
  readonly takenAt: number;
  /** When their successors should be fetched, in milliseconds since 1970. */
  readonly dueAt: number;
  readonly expiresAt: number;
}

export interface Download {
  /** Of the config, at the latest download. */
  fingerprint: string | null;
  /** Not yet expired, oldest first. */
  sets: LeaseSet[];
}

/** What was downloaded last. Kept in memory: another process, or this one started anew, knows nothing of it. */
export interface Downloads {
  /** @param leases of this download; may be none. */
  record(downloader: Downloader, fingerprint: string | null, leases: readonly { readonly expiresAt: Date }[]): void;
  find(downloader: Downloader): Download | undefined;
}

const MAX_REMEMBERED = 10_000;
const LATEST_BEFORE_END_MS = 60_000;
const SHARE_OF_LIFE = 0.8;
/** Digests of secrets that nobody can try guesses against. */
const KEY = randomBytes(32);

export function createDownloads(): Downloads {
  const known = new Map<string, Download>();
  return {
    record: (downloader, fingerprint, leases) => {
      const key = keyOf(downloader);
      const now = Date.now();
      const sets = (known.get(key)?.sets ?? []).filter((set) => set.expiresAt > now);
      if (leases.length > 0)
        sets.push(
          leaseSet(
            leases.map(({ expiresAt }) => expiresAt),
            now,
          ),
        );
      // Set anew, so that the first key is always the one that was not used for longest.
      known.delete(key);
      known.set(key, { fingerprint, sets });
      const [oldest] = known.keys();
      if (known.size > MAX_REMEMBERED && oldest !== undefined) known.delete(oldest);
    },
    find: (downloader) => known.get(keyOf(downloader)),
  };
}

/** Due a minute before the first of them ends, or at four fifths of its life if that is later. */
export function leaseSet(ends: readonly Date[], now: number): LeaseSet {
  const expiresAt = Math.min(...ends.map((end) => end.getTime()));
  const late = now + (expiresAt - now) * SHARE_OF_LIFE;
  return { takenAt: now, expiresAt, dueAt: Math.max(late, expiresAt - LATEST_BEFORE_END_MS) };
}

/** Changes with what a program would get of a config; null: that cannot be told now. */
export function fingerprintOf({ secrets, dynamicSecrets }: ConfigSettings): string | null {
  try {
    const statics = Object.entries(secrets).map(([name, secret]) => [
      name,
      'literal' in secret ? secret.literal : resolveReference(secret.reference),
    ]);
    const dynamics = Object.entries(dynamicSecrets).map(([name, { integration, fields, parameters }]) => [
      name,
      integration,
      fields,
      parameters,
    ]);
    return createHmac('sha256', KEY)
      .update(JSON.stringify([statics, dynamics]))
      .digest('hex');
  } catch {
    return null;
  }
}

/** A key for maps. */
export function keyOf({ tokenId, holder, source, project, config }: Downloader): string {
  return JSON.stringify([tokenId, holder, source, project, config]);
}
