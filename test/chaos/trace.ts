import type { AuditLine } from '../../audit/line';
import type { LeaseEnd } from '../../workflows/words';
import type { Fault, IntegrationName, Operation, ProcessName, Size } from './plan-types';

// What a run has seen, which is all that the checker knows. Instants are milliseconds of this machine's clock, which is
// Temporal's and the providers' too. No credential is in it.

/** One call for a lease and what it came to. */
export interface IssueSeen {
  readonly integration: IntegrationName;
  readonly holder: string;
  readonly ttlMs: number;
  readonly idempotencyKey: string | null;
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly outcome:
    | {
        readonly is: 'delivered';
        readonly leaseId: string;
        readonly expiresAt: number;
        /** What the provider knows the credential by: id of the access key, name of the role, ids of the keys. Not secret. */
        readonly identity: string;
      }
    | {
        readonly is: 'refused';
        readonly code: string;
        readonly leaseId: string | null;
        readonly undelivered: string | null;
      };
}

/** What was asked of a lease that was there. */
export interface ChangeSeen {
  readonly what: 'extend' | 'shorten' | 'revoke' | 'bulk-revoke' | 'cancel' | 'terminate' | 'reset' | 'abandon';
  /** Of a bulk revoke: all that were meant, as far as they were known. */
  readonly leaseIds: readonly string[];
  /** Of a bulk revoke: what its filter says. */
  readonly filter: { readonly holder: string; readonly integration: IntegrationName } | null;
  readonly askedAt: number;
  readonly answeredAt: number;
  /** The new TTL that was asked for; null where there is none. */
  readonly ttlMs: number | null;
  /** `ok`; `unknown`: no answer, so that it may have happened or happen yet; else the code of a refusal. */
  readonly answer: string;
  /** Of an accepted extension. */
  readonly expiresAt: number | null;
  /** Of a revoke that waited: how the lease ended. */
  readonly state: LeaseEnd | 'accepted' | null;
}

/** A delivered credential was tried at the provider itself, past all proxies. */
export interface UseSeen {
  readonly leaseId: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** `ok`, or what the provider refused it with. */
  readonly answer: string;
}

/** An entity with our mark, as the provider itself shows it to its own administrator. */
export interface EntitySeen {
  readonly integration: IntegrationName;
  readonly name: string;
  /** From its name; null: the name is none of ours. */
  readonly leaseId: string | null;
  /** Ids of what can be signed in with: access keys, keys; a role's name. */
  readonly identities: readonly string[];
}

/** Everything that the providers held at one time. Each was asked after `startedAt` and had answered by `endedAt`. */
export interface Snapshot {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly entities: readonly EntitySeen[];
}

/** A call that changed something, or would have, as it passed the proxy of a provider. */
export interface DeedSeen {
  readonly integration: IntegrationName;
  readonly operation: string;
  readonly entity: string | null;
  readonly leaseId: string | null;
  /** When the provider was asked. */
  readonly at: number;
  /** Makes something, or removes something, that can be signed in with; `other`: a change that does neither. */
  readonly effect: 'makes' | 'removes' | 'other';
  /** Whether the provider did it, whatever the caller was answered. */
  readonly done: boolean;
}

export interface FaultSeen {
  readonly fault: Fault;
  readonly from: number;
  /** When it was over; equal to `from` for what takes no time. */
  readonly to: number;
  /** Whether it met anything: an armed fault that no call came by did not. */
  readonly hit: boolean;
}

/** One run of a lease's workflow, as Temporal tells it at the end. */
export interface LeaseRun {
  readonly leaseId: string;
  readonly runId: string;
  readonly status: string;
  readonly startedAt: number;
  /** Null: it runs. */
  readonly closedAt: number | null;
  readonly integration: string | null;
  /** The outcome's, if it completed. */
  readonly state: LeaseEnd | null;
  readonly endedAt: number | null;
  readonly endedBy: string | null;
  readonly delivered: boolean;
  /** When the plan was in history; null: no plan is. */
  readonly plannedAt: number | null;
  /** Entity of the plan. */
  readonly entity: string | null;
  /** When the first attempt to provision was scheduled. */
  readonly provisionScheduledAt: number | null;
  /** When provision had succeeded; null: it has not. */
  readonly provisionedAt: number | null;
  /** When removal was scheduled first. */
  readonly deprovisionScheduledAt: number | null;
  /** The expiry in force when removal was scheduled, as the search attribute or the result says; null: never active. */
  readonly expiresAt: number | null;
  /** How often removal was scheduled, and the nudges that came, each of which may schedule it once more. */
  readonly removals: number;
  readonly nudges: number;
  /** When it was called stuck; null: never. */
  readonly stuckAt: number | null;
  /** `not tried`; `ok`: it replays against the workflows of this tree; else why not. */
  readonly replay: string;
}

/** An audit line with where it was found. The clock of its process may be off: its `time` proves nothing. */
export interface AuditSeen {
  readonly file: string;
  readonly line: AuditLine;
}

export interface Trace {
  readonly size: Size;
  readonly startedAt: number;
  /** From here on nothing was asked and no fault was injected; everything stopped was started again. */
  readonly healedAt: number;
  /** When the last lease had ended and the providers held nothing of ours, or when that was given up. */
  readonly settledAt: number;
  readonly operations: readonly { readonly operation: Operation; readonly at: number }[];
  readonly issues: readonly IssueSeen[];
  readonly changes: readonly ChangeSeen[];
  readonly uses: readonly UseSeen[];
  readonly snapshots: readonly Snapshot[];
  readonly deeds: readonly DeedSeen[];
  readonly faults: readonly FaultSeen[];
  readonly runs: readonly LeaseRun[];
  readonly audit: readonly AuditSeen[];
  /** Where an audit file holds something that is no line of it, or not a whole one. */
  readonly cutLines: readonly string[];
  /** Credentials found where none may be: what and where, never the value. */
  readonly leaks: readonly string[];
  /** Through how much these were looked for. */
  readonly searched: {
    readonly bytes: number;
    readonly files: number;
    readonly histories: number;
    readonly values: number;
  };
  /** Programs that ended by themselves, or with another exit code than 0 when asked to end. */
  readonly crashes: readonly {
    readonly process: ProcessName | 'temporal';
    readonly at: number;
    readonly how: string;
  }[];
  /** Alerts received, by their event. */
  readonly alerts: readonly { readonly at: number; readonly event: string; readonly integration: string | null }[];
}

/** Where those that act and those that look write down what they see. */
export interface Recorder {
  issue(seen: IssueSeen): void;
  change(seen: ChangeSeen): void;
  use(seen: UseSeen): void;
  snapshot(seen: Snapshot): void;
  deed(seen: DeedSeen): void;
  fault(seen: FaultSeen): void;
  operation(operation: Operation, at: number): void;
  crash(process: ProcessName | 'temporal', how: string): void;
}
