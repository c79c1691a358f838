import type { EntityMark } from '../../activities/integrations/integration';
import type { BaseLab } from '../support/base-lab';

/** What may go wrong with one call to a provider. `before`: it is never asked. `after`: it has done what was asked. */
export const KINDS = [
  'answer lost',
  'failed before',
  'failed after',
  'unreadable answer',
  'throttled',
  'hung before',
  'hung after',
  'hung in its answer',
  'not found',
  'refused',
  'quota exceeded',
  'called invalid',
] as const;
export type Kind = (typeof KINDS)[number];

export interface CallFault {
  /** The provider's name of what is asked. */
  readonly operation: string;
  readonly kind: Kind;
  /** Which such call of the lease, from now on, is the first to be hit. From 1, the default. */
  readonly nth?: number;
  /** How many such calls in a row are hit. Default 1. */
  readonly times?: number;
}

/** A call that the provider was asked for one lease. */
export interface SeenCall {
  readonly operation: string;
  /** What it does when it succeeds: nothing, a change, or a change that makes a credential. */
  readonly effect: 'none' | 'change' | 'credential';
  /** Whether a fault hit it. */
  readonly faulty: boolean;
  /** Everything sent with it that could come from a request, as text. */
  readonly sent: string;
}

export interface BenchOptions {
  readonly timings: Readonly<Record<string, string>>;
  /** How many leases may be provisioned, and how many removed, at once. */
  readonly slots: number;
  /** Text that every error answer of the provider repeats. */
  readonly echo: string;
}

/** What is not ours and must not be touched. */
export interface Alien {
  /** Whether it is as it was made, with its credential. */
  isWhole(): Promise<boolean>;
  remove(): Promise<void>;
}

/** A namespace without a worker, and a provider that fails as it is told. */
export interface Bench {
  readonly lab: Pick<
    BaseLab,
    | 'address'
    | 'namespace'
    | 'client'
    | 'leases'
    | 'startWorker'
    | 'configure'
    | 'logs'
    | 'until'
    | 'outcome'
    | 'handle'
    | 'close'
  >;
  /** What is leased: with as much at the provider as a lease can have. */
  readonly request: { readonly project: string; readonly config: string; readonly dynamicSecret: string };
  /**
   * The call which, called invalid, ends a provision that has already made all there is, so that all of it must be removed.
   * Absent: the call that makes the credential, which is done, whose answer is lost, and which is then called invalid once more.
   */
  readonly abort?: Pick<CallFault, 'operation' | 'nth'>;
  /** Name of the integration in the configuration. */
  readonly integration: string;
  /** The orchestrator's own secrets. */
  readonly secrets: readonly string[];
  /** In order of arrival. */
  calls(leaseId: string): readonly SeenCall[];
  /** Makes calls of one lease fail. */
  fail(leaseId: string, fault: CallFault): void;
  /** Ends all faults of the lease. */
  recover(leaseId: string): void;
  /** Makes the provider unreachable for everybody, and reachable again. */
  setAway(away: boolean): void;
  /** Called when the provider has done what one lease asked, and before the answer is complete, which waits for it. */
  onDone(hook: (leaseIs: (leaseId: string) => boolean, call: SeenCall) => Promise<void>): void;
  /** Other valid parameters of the dynamic secret, e.g. with fewer rights. Absent: it has none that could change. */
  readonly otherParameters?: Readonly<Record<string, unknown>>;
  /**
   * When the provider ends the lease's entity by itself or, as its mark says, it should be gone. Null: nothing there says so, or it
   * is gone. Absent: this provider keeps no such instant.
   */
  expiry?(leaseId: string): Promise<Date | null>;
  /** Names of what the provider really holds of the lease. */
  entities(leaseId: string): Promise<readonly string[]>;
  /** How many credentials of the lease are alive. */
  credentials(leaseId: string): Promise<number>;
  /** Whether the provider honours it. */
  works(credential: Readonly<Record<string, string>>): Promise<boolean>;
  /** Those of a credential's values that are secret. */
  secretsOf(credential: Readonly<Record<string, string>>): readonly string[];
  /**
   * Makes one credential that an earlier attempt of the lease asked for and that the provider makes only now, and the entity if there
   * is none; the part that is made last, where an entity has several.
   * @param name of the lease's entity.
   */
  makeLate(name: string, mark: EntityMark): Promise<void>;
  /**
   * Makes what belongs to somebody else and what a careless look takes for the entity of this name: of the same name or, where
   * names alone say whose something is, of nearly the same. `entities` and `credentials` do not count it.
   */
  makeAlien(name: string): Promise<Alien>;
  /** As somebody would by hand, behind Leasehold's back. */
  removeEntity(leaseId: string): Promise<void>;
  removeCredential(leaseId: string): Promise<void>;
  close(): Promise<void>;
}

/** An integration that the suite is run against. */
export interface Subject {
  /** In words, e.g. `AWS IAM`. */
  readonly name: string;
  /** Why it cannot be run here, e.g. a server that is not installed. Absent or null: it can. */
  readonly missing?: string | null;
  open(options: BenchOptions): Promise<Bench>;
}
