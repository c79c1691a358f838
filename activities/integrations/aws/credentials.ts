import type { AwsConnection } from './connection';
import { describeSourceFailure, unanswered } from './credential-errors';
import { fetchIdentity } from './credential-source';
import type { CredentialSource, Identity, Resolve } from './credential-source';
import { endProcessesAfter } from './process-lifetime';

/** The orchestrator's own credentials, fetched when first needed and again when they run out, are refused or denied. */
export interface OrchestratorCredentials {
  /**
   * Waits for their source only when nothing is held that is good for a while yet.
   * @throws IntegrationError `Refused` when there are none, `Unavailable` when their source does not answer or fails for a
   * moment, or what STS answered.
   */
  readonly provide: CredentialSource;
  /** Forgets what is held, so that a rotated file, profile or role session is picked up by the next call. */
  readonly forget: () => void;
  /**
   * A call was denied. That is all that AWS says of a session that was revoked, and the same as of a right that is missing:
   * a session that is not quite new is replaced, and used until then.
   */
  readonly doubt: () => void;
}

interface Held {
  readonly identity: Identity;
  readonly askedAt: number;
  readonly endsAt: number;
}

/** Sessions are renewed this long before they end. */
const RENEW_BEFORE_MS = 5 * 60_000;

/** From this long before their end on credentials are not used any more. */
const SPARE_MS = 60_000;

/** How long credentials that name no end are held before they are renewed. */
const HOLD_MS = 60_000;

/** Sessions younger than this are not doubted, or a right that is missing would take a new one with each call. */
const TRUSTED_MS = 60_000;

/** After this time whoever waits for the source is told that it does not answer, and the next call asks anew. */
const ANSWER_WITHIN_MS = 10_000;

/** Between two attempts to renew what is still good. */
const RENEW_EVERY_MS = 5_000;

/** A process may answer later than it was waited for, but those that hang must not pile up. */
const PROCESS_LIFETIME_MS = 60_000;

export function openCredentials(connection: AwsConnection, resolve: Resolve): OrchestratorCredentials {
  return holdCredentials(() => fetchIdentity(connection, resolve));
}

/** @param source asked anew each time, without a memory of its own. */
export function holdCredentials(source: CredentialSource): OrchestratorCredentials {
  let held: Held | undefined;
  let pending: Promise<Identity> | undefined;
  let hasGiven = false;
  let answeredAt = -Infinity;

  function keep(identity: Identity, askedAt: number): Identity {
    hasGiven = true;
    const endsAt = identity.expiration?.getTime() ?? Date.now() + HOLD_MS + RENEW_BEFORE_MS;
    // What was given up may answer after what was asked later.
    if (held === undefined || held.askedAt <= askedAt) held = { identity, askedAt, endsAt };
    return identity;
  }

  async function ask(): Promise<Identity> {
    const askedAt = Date.now();
    const answer = endProcessesAfter(PROCESS_LIFETIME_MS, source).then((identity) => keep(identity, askedAt));
    try {
      return await inTime(answer);
    } catch (error) {
      throw describeSourceFailure(error, hasGiven);
    }
  }

  function askOnce(): Promise<Identity> {
    pending ??= ask().finally(() => {
      pending = undefined;
      answeredAt = Date.now();
    });
    return pending;
  }

  function renew(): void {
    if (Date.now() - answeredAt < RENEW_EVERY_MS) return;
    // Whoever cannot do without will ask again, and be told.
    askOnce().catch(() => undefined);
  }

  async function findIdentity(): Promise<Identity> {
    const left = held === undefined ? 0 : held.endsAt - Date.now();
    if (held !== undefined && left > SPARE_MS) {
      if (left <= RENEW_BEFORE_MS) renew();
      return held.identity;
    }
    return askOnce();
  }

  return {
    async provide() {
      // The SDK keeps what it is given until five minutes before its end. Told that the end is near it asks here before
      // each call, where it can be forgotten.
      return { ...(await findIdentity()), expiration: new Date(Date.now() + HOLD_MS) };
    },
    forget() {
      held = undefined;
    },
    doubt() {
      if (held?.identity.sessionToken === undefined || Date.now() - held.askedAt < TRUSTED_MS) return;
      renew();
    },
  };
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(unanswered());
    }, ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
