import type { z } from 'zod';
import type { Check, Handle, ProviderErrorType, Quota } from '../../workflows/contract';

export type { Check, Quota } from '../../workflows/contract';

/** What the holder gets: upper-case environment names to values. Secret: it is sealed and never stored. */
export type Credential = Readonly<Record<string, string>>;

/** What is said of an entity in the clear, e.g. its id at the provider. */
export type Facts = Readonly<Record<string, string>>;

/** Names by which an entity is known to be ours. */
export interface EntityMark {
  /** Which installation made it: 8 base-32 characters. */
  readonly deployment: string;
  readonly leaseId: string;
}

export interface PlanContext extends EntityMark {
  /** Name of the integration in the configuration. */
  readonly integration: string;
  /** The lease's TTL. */
  readonly ttlMs: number;
  /** Between the first call that makes something and the instant from which the TTL counts there is no more than this. */
  readonly issueTimeoutMs: number;
}

/** What plan answers, written to history before any provider call. */
export interface EntityPlan {
  /** The entity's name at the provider, made from the mark alone. */
  readonly entity: string;
  /** All that removal needs, even after the dynamic secret has left the configuration. Never a secret. */
  readonly handle: Handle;
  /**
   * Of what nobody can end before its time: how long it lives at most, from when it was made. Only when that is over may the
   * lease say that it has ended. Absent: removal ends it.
   */
  readonly livesOnMs?: number;
}

/** How the provider bounds what nobody can end before its time. */
export interface SelfEnding {
  /** TTLs for which it can be made, both ends included. */
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
  /** Why no others, in a sentence. */
  readonly why: string;
  /** How long it may live on after the expiry of its lease. */
  readonly outlivesMs: number;
}

export interface Made {
  readonly credential: Credential;
  /** Names of the credential's values that are no secret, e.g. a host, and may stand among the facts. Absent: none is. */
  readonly open?: readonly string[];
  /** When the provider was seen to honour the credential; null: not known. */
  readonly usableAt: Date | null;
  /** Non-secret facts about the entity. */
  readonly facts: Facts;
  /** What cannot be recalled once the credential was used, in sentences. */
  readonly notes: readonly string[];
}

/** What deprovision can say for certain. */
export interface Removal {
  /** `removed`: our own delete was confirmed and a read says absent. `absent`: nothing was found to delete. */
  readonly result: 'removed' | 'absent';
  /** Of `absent`: why that may not be the end of it yet, to follow a "because". Absent: what was being made may still appear. */
  readonly because?: string;
}

/**
 * Guards every provider call that creates or deletes: a stalled attempt that wakes after its successor must do nothing more.
 */
export interface Fence {
  /**
   * Asks Temporal whether this attempt still owns the lease; rejects if not, and the attempt must then stop.
   * To be called right before each call that creates, changes or deletes, with the operation's name.
   */
  pass(operation: string): Promise<void>;
  /**
   * Takes the last `pass` back: the call that it let through certainly changed nothing, because it was never sent or the
   * provider refused that very call.
   */
  withdraw(): void;
  /**
   * False once more time has gone by since the last `pass` than the attempt was granted. Synchronous: for a check at the
   * last moment before the request goes on the wire.
   */
  holds(): boolean;
  /** Aborts when the attempt is cancelled or its time is over. For waits and reads; a call that creates is let finish. */
  readonly signal: AbortSignal;
}

/** What one attempt has at hand. */
export interface Attempt extends EntityMark {
  readonly fence: Fence;
  /** Instant at which this attempt is over. */
  readonly deadline: Date;
}

/**
 * A configured connection to a provider. Each verb is idempotent and safe to run again after its answer was lost.
 * Every error thrown is an {@link IntegrationError}, or what the attempt was stopped with: the rejection of
 * {@link Fence.pass} or of the throttle, or the reason of {@link Fence.signal}, passed on as they are.
 */
export interface Integration<Parameters = unknown> {
  /**
   * Makes the entity from the handle, adopting what an earlier attempt of the same lease left, never another's, and
   * returns a fresh credential: exactly one lives afterwards.
   * @param parameters as the type's `parameters` schema gave them.
   * @param expiry backstop for the provider's own expiry or mark; later than the lease's end.
   */
  provision(handle: Handle, parameters: Parameters, expiry: Date, attempt: Attempt): Promise<Made>;
  /** Moves the provider-side expiry. */
  extend(handle: Handle, expiry: Date, attempt: Attempt): Promise<void>;
  /**
   * Removes the entity and all that hangs on it, however much of it exists. Absence is success, unless what provision made is seen to
   * live on under another name, which only a person can see to.
   * @param facts as {@link Made}, for reading alone: who may write histories may have put there what they liked. Absent: not known.
   */
  deprovision(handle: Handle, attempt: Attempt, facts?: Facts): Promise<Removal>;
  /**
   * Names what lives under the integration's prefix, of this and of any other installation, from the listing alone.
   * @param cursor null for the first page, else the `next` of the page before.
   */
  list(cursor: string | null, signal: AbortSignal): Promise<EntityPage>;
  /** Reads the marks on one entity; null if the provider says that there is none. */
  readMarks(handle: Handle, signal: AbortSignal): Promise<EntityMarks | null>;
  /** What is left of the provider's own limit on entities; null if it has none or does not tell. */
  quota(signal: AbortSignal): Promise<Quota | null>;
  /**
   * Tries, without changing anything, whether the orchestrator's credential works and has every right that leases need.
   * @throws IntegrationError if the provider cannot be reached or refuses the credential itself.
   */
  check(signal: AbortSignal): Promise<Check>;
  /** Frees sockets. */
  close(): void;
}

export interface EntityPage {
  readonly entities: readonly ListedEntity[];
  /** Where the next page begins; null: this was the last one. */
  readonly next: string | null;
}

/** What a listing tells of an entity without another call. */
export interface ListedEntity {
  readonly entity: string;
  /** As its name says; null: no name that Leasehold makes, though it begins like one. */
  readonly mark: EntityMark | null;
  /** As `plan` would have given it, so that it can be looked at and removed. */
  readonly handle: Handle;
  readonly createdAt: Date | null;
}

/** What an entity itself says, beside its name. */
export interface EntityMarks {
  readonly deployment: string | null;
  readonly leaseId: string | null;
  /** When it should be gone at the latest; null: no such mark, or one that cannot be read. */
  readonly expiresAt: Date | null;
}

/** A kind of provider, in code. One file or folder under integrations/ and one line in registry.ts. */
export interface IntegrationType<Connection = unknown, Parameters = unknown> {
  /** Value of `type` in the configuration, e.g. `aws_iam`. */
  readonly type: string;
  /** In words, for people, e.g. `AWS IAM user`. */
  readonly kind: string;
  /** Shape of an integration's own settings in the configuration. */
  readonly connection: z.ZodType<Connection>;
  /** Shape of a dynamic secret's `parameters`. */
  readonly parameters: z.ZodType<Parameters>;
  /** The names that every credential made with these parameters has, no more and no fewer. Pure. */
  fields(parameters: Parameters): readonly string[];
  /** How long after a create the provider may still answer "absent". Milliseconds. */
  readonly consistencyWindowMs: number;
  /**
   * Calls that issuing, and removing as many again, may make in a second in each worker where the configuration does not say. From 0.1 to
   * 1,000. Absent: 5, for a provider that others share and whose limit is not known.
   */
  readonly callsPerSecond?: number;
  /** Given by the types whose credentials nobody can end before their time. Pure. */
  selfEnding?(issueTimeoutMs: number): SelfEnding;
  /**
   * Pure: from names alone, and the TTL where the entity depends on it, to the entity and its handle. It is computed once more before
   * anything is made, and must come out the same.
   */
  plan(context: PlanContext, connection: Connection, parameters: Parameters): EntityPlan;
  /**
   * Names of what stands in a handle for whoever reads the lease, and is used for nothing: it may differ between the configurations of two
   * workers. Absent: nothing is.
   */
  readonly forReaders?: readonly string[];
  /**
   * Loads what connections need that not every process does: the provider's client. A worker does so ahead of its first lease.
   * @throws IntegrationError, as the connection then does. Absent: nothing is to be loaded, or only when it is used.
   */
  load?(): Promise<unknown>;
  /** Opens the connection. Credential references are resolved here or later, never before. */
  connect(connection: Connection, deps: IntegrationDeps): Integration<Parameters>;
}

export interface IntegrationDeps {
  /** Resolves an `env:` or `file:` reference at the moment of use. */
  readonly resolveReference: (reference: string) => string;
  /** Waits until another provider call may be made under the integration's rate. */
  readonly throttle: (signal: AbortSignal) => Promise<void>;
}

/**
 * A provider's error in our words. Holds an allow-list of facts and nothing else: no provider message, body, stack or
 * cause, because providers echo credentials in those.
 */
export class IntegrationError extends Error {
  override readonly name = 'IntegrationError';

  constructor(
    readonly type: ProviderErrorType,
    readonly facts: ErrorFacts,
  ) {
    super(describe(type, facts));
  }
}

export interface ErrorFacts {
  /** The provider's operation, e.g. `CreateUser`. */
  readonly operation: string;
  /** The entity concerned. */
  readonly entity?: string;
  /** The provider's error code; only letters, digits, `.`, `_` and `-` survive. */
  readonly code?: string;
  readonly httpStatus?: number;
  readonly requestId?: string;
  /** A sentence of our own, never the provider's. */
  readonly hint?: string;
  /** When the provider said to come back. */
  readonly retryAfterMs?: number;
}

const WORDS: Record<ProviderErrorType, string> = {
  InvalidInput: 'was refused as invalid',
  Refused: 'was not permitted',
  QuotaExceeded: 'would exceed a quota',
  Throttled: 'was throttled',
  Unavailable: 'got no usable answer',
  NotFound: 'found nothing',
  AbsenceUnproven: 'found nothing, which does not prove absence yet',
};

function describe(type: ProviderErrorType, facts: ErrorFacts): string {
  const parts = [
    facts.code === undefined ? undefined : `code ${token(facts.code)}`,
    facts.httpStatus === undefined ? undefined : `HTTP ${String(facts.httpStatus)}`,
    facts.requestId === undefined ? undefined : `request ${token(facts.requestId)}`,
  ].filter((part) => part !== undefined);
  const subject = facts.entity === undefined ? '' : ` for ${facts.entity}`;
  const bracket = parts.length === 0 ? '' : ` (${parts.join(', ')})`;
  const hint = facts.hint === undefined ? '' : ` ${facts.hint}`;
  return `${facts.operation}${subject} ${WORDS[type]}${bracket}.${hint}`;
}

/** Codes and request ids come from outside: only what such a token is made of passes, and not much of it. */
function token(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, '').slice(0, 64);
}
