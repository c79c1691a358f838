// What a run does, and when: made of a seed alone, before anything is started.

/** By the names of the world's configuration. */
export const INTEGRATIONS = ['aws', 'database', 'datadog'] as const;
export type IntegrationName = (typeof INTEGRATIONS)[number];

/** Who leases. The admin is none of them. */
export const HOLDERS = ['ada', 'bob', 'eve'] as const;
export type HolderName = (typeof HOLDERS)[number];

/** Programs of ours that can be killed. Of each kind there are two, so that one may be missing. */
export const PROCESSES = ['worker-1', 'worker-2', 'api-1', 'api-2'] as const;
export type ProcessName = (typeof PROCESSES)[number];

/** How large and how long a run is. */
export interface Size {
  readonly seed: number;
  /** Issues that are asked for, those of a repeated idempotency key included. */
  readonly leases: number;
  readonly faults: number;
  /** From the first operation to the last, in milliseconds. */
  readonly durationMs: number;
}

/**
 * What somebody asks for. `pick`, from 0 to below 1, chooses among the leases that are suitable when its time comes: how many those
 * are depends on the machine, so that a seed fixes the plan and not each outcome.
 */
export type Operation =
  | {
      readonly do: 'issue';
      readonly holder: HolderName;
      readonly integration: IntegrationName;
      readonly ttlMs: number;
      readonly through: 'api-1' | 'api-2';
      /** Repeats of one request with one idempotency key, at the same time, through both APIs. 1: no key. */
      readonly times: number;
      /** Gives up after so long, as a caller does that hangs up; null: waits. */
      readonly hangUpAfterMs: number | null;
    }
  | { readonly do: 'issue-too-long'; readonly integration: IntegrationName }
  | { readonly do: 'extend'; readonly pick: number; readonly ttlMs: number }
  | { readonly do: 'shorten'; readonly pick: number; readonly ttlMs: number }
  /** `times`: at once, through both APIs and by signal. */
  | { readonly do: 'revoke'; readonly pick: number; readonly times: number }
  /** All leases of one integration that one holder has. */
  | { readonly do: 'bulk-revoke'; readonly pick: number }
  | { readonly do: 'cancel'; readonly pick: number }
  | { readonly do: 'terminate'; readonly pick: number }
  /** To its first workflow task, as an operator might with a workflow that seems to hang. */
  | { readonly do: 'reset'; readonly pick: number }
  | { readonly do: 'abandon'; readonly pick: number }
  /** `invalid`: the file holds an error for a while. */
  | { readonly do: 'reload'; readonly invalid: boolean };

/** Calls to a provider that go wrong, one at a time. */
export const CALL_FAULTS = [
  'lost-answer',
  '500-before',
  '500-after',
  'html-503',
  'throttle',
  'hang',
  'hang-after',
  'delay',
] as const;
export type CallFault = (typeof CALL_FAULTS)[number];

export type Fault =
  /** kill -9 and a start anew after `downMs`. */
  | { readonly do: 'kill'; readonly process: ProcessName; readonly downMs: number }
  /** SIGTERM, which must end it with exit code 0, and a start anew. */
  | { readonly do: 'restart'; readonly process: ProcessName }
  /** SIGSTOP for longer than the time-outs: its attempts wake as zombies. */
  | { readonly do: 'stop'; readonly process: ProcessName; readonly forMs: number }
  /**
   * SIGSTOP of a worker right when the provider has done (`after`), or is asked to do, something that changes. Of the worker that
   * asked, whichever is named here: what the fault met is said by what is seen of it.
   */
  | {
      readonly do: 'stop-at-call';
      readonly process: 'worker-1' | 'worker-2';
      readonly integration: IntegrationName;
      readonly phase: 'before' | 'after';
      /** At the look that comes before a change, by which the attempt then still goes when it wakes. Default: at a change. */
      readonly at?: 'look';
      readonly forMs: number;
    }
  | {
      readonly do: 'kill-at-call';
      readonly process: 'worker-1' | 'worker-2';
      readonly integration: IntegrationName;
      readonly phase: 'before' | 'after';
    }
  /** Its clock is off from its next start, which follows at once, until it is started again. */
  | { readonly do: 'clock'; readonly process: ProcessName; readonly offsetMs: number; readonly forMs: number }
  | { readonly do: 'temporal-kill'; readonly downMs: number }
  | { readonly do: 'temporal-stop'; readonly forMs: number }
  | { readonly do: 'provider-down'; readonly integration: IntegrationName; readonly forMs: number }
  | {
      readonly do: 'provider-slow';
      readonly integration: IntegrationName;
      readonly delayMs: number;
      readonly forMs: number;
    }
  | { readonly do: 'provider-throttling'; readonly integration: IntegrationName; readonly forMs: number }
  /** The next call, or the next that changes something. `times` calls in a row. */
  | {
      readonly do: 'call';
      readonly integration: IntegrationName;
      readonly kind: CallFault;
      readonly mutating: boolean;
      readonly times: number;
    };

export type Moment =
  | { readonly atMs: number; readonly operation: Operation; readonly fault?: never }
  | { readonly atMs: number; readonly fault: Fault; readonly operation?: never };

/** In order of time. */
export type Plan = readonly Moment[];
