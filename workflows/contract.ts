import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { LeaseEnd, LeaseFailure, LeaseState, RecipientJwk } from './words';

// Every name and type that crosses a process boundary. Changing what stands here changes what older workers, clients and
// recorded histories see: add, do not rename.

export { isHopeless, isLeaseFailureType, LEASE_ENDS, LEASE_ID_PATTERN } from './words';
export type { LeaseEnd, LeaseFailure, LeaseFailureType, LeaseState, ProviderErrorType, RecipientJwk } from './words';

/** The workflow type of a lease. */
export const LEASE_WORKFLOW = 'lease';

/** The workflow type of one look through a provider for entities that outlived their lease. */
export const SWEEP_WORKFLOW = 'sweep';

/** The workflow type of an integration's trouble with removals, from the first report to the last lease gone. */
export const INCIDENT_WORKFLOW = 'incident';

/** The workflow type that holds the blocks, and its id: there is one. */
export const BLOCKS_WORKFLOW = 'blocks';

/** The workflow type of one bulk revoke. */
export const BULK_REVOKE_WORKFLOW = 'bulkRevoke';

/** The workflow type of one look at an integration's credential and rights. */
export const CHECK_WORKFLOW = 'check';

/** Id of the schedule that sweeps an integration, and beginning of the ids of its sweeps. */
export function sweepId(integration: string): string {
  return `sweep/${integration}`;
}

/** Workflow id of an integration's incident: there is one at a time. */
export function incidentId(integration: string): string {
  return `incident/${integration}`;
}

/** Workflow id of a bulk revoke. */
export function bulkRevokeId(id: string): string {
  return `bulk-revoke/${id}`;
}

/** The task queue of all lease workflows. Activity queues are per integration: see {@link provisionQueue}. */
export const WORKFLOW_QUEUE = 'leasehold';

/** The queue on which an integration's credentials are made. */
export function provisionQueue(integration: string): string {
  return `${integration}/provision`;
}

/** The queue on which an integration's credentials are extended and removed, apart so that a flood of issues delays none. */
export function deprovisionQueue(integration: string): string {
  return `${integration}/deprovision`;
}

/** The queue on which an integration is probed and swept. */
export function upkeepQueue(integration: string): string {
  return `${integration}/upkeep`;
}

/** Temporal's default of 10 s would be what a worker killed inside a local activity costs the caller. */
export const WORKFLOW_TASK_TIMEOUT_MS = 4_000;

/** How often one lease may be extended. Temporal allows 2,000 updates for each workflow, claims included. */
export const MAX_EXTENSIONS = 500;

/** Start-to-close of one attempt to deprovision. Generous: a lost worker is noticed by its missing heartbeat. */
export const DEPROVISION_ATTEMPT_MS = 5 * 60_000;

/** TTL a lease gets when neither the request nor the dynamic secret says one. Doppler's default. */
export const DEFAULT_TTL_MS = 30 * 60_000;

// --- States ----------------------------------------------------------------------------------------------------------

/** Search attributes of a lease workflow. Never a secret: Temporal never encodes them. */
export const ATTRIBUTES = {
  state: defineSearchAttributeKey('LeaseState', 'KEYWORD'),
  project: defineSearchAttributeKey('LeaseProject', 'KEYWORD'),
  config: defineSearchAttributeKey('LeaseConfig', 'KEYWORD'),
  dynamicSecret: defineSearchAttributeKey('LeaseDynamicSecret', 'KEYWORD'),
  integration: defineSearchAttributeKey('LeaseIntegration', 'KEYWORD'),
  holder: defineSearchAttributeKey('LeaseHolder', 'KEYWORD'),
  entity: defineSearchAttributeKey('LeaseEntity', 'KEYWORD'),
  expiresAt: defineSearchAttributeKey('LeaseExpiresAt', 'DATETIME'),
} as const;

// --- Input and messages ----------------------------------------------------------------------------------------------

/** A workflow's input. Everything in it is in history: nothing secret. */
export interface LeaseInput {
  readonly project: string;
  readonly config: string;
  readonly dynamicSecret: string;
  /** Requested TTL in milliseconds; null: the dynamic secret's default. */
  readonly ttlMs: number | null;
  /** `<issuer alias>:<subject>`, at most 200 bytes. */
  readonly holder: string;
  readonly recipient: RecipientJwk;
  /** RFC 7638 thumbprint of `recipient`, so that the claim validator needs no hashing in the workflow. */
  readonly thumbprint: string;
}

/**
 * Argument of the `claim` update. Its update id is made of the thumbprint and the TTL (and the ended run before this one), so
 * that the server answers a repeat of the same question, and only that, by itself.
 */
export interface ClaimInput {
  readonly thumbprint: string;
  readonly ttlMs: number | null;
}

/** What `claim` answers: the sealed credential and what may be known about it. */
export interface Claim {
  readonly leaseId: string;
  /** Compact JWE (ECDH-ES, A256GCM) sealed to the recipient, the lease id in its authenticated header. */
  readonly sealed: string;
  readonly expiresAt: string;
  /** When the provider was seen to honour the credential; null: not known. */
  readonly usableAt: string | null;
  /** Non-secret facts, e.g. the user's ARN. */
  readonly facts: Readonly<Record<string, string>>;
  /** What cannot be recalled, in sentences. */
  readonly notes: readonly string[];
}

export interface ExtendInput {
  /** New TTL in milliseconds, counted from now. Longer or shorter than what is left. */
  readonly ttlMs: number;
}

export interface Extension {
  readonly expiresAt: string;
}

/** Argument of `revoke` and `abandon`. Signals also come by hand, so every field may be missing or of any type. */
export interface RevokeInput {
  readonly by?: string;
  readonly reason?: string;
  /** Revoke only a lease that was issued to the key with this thumbprint. */
  readonly ifIssuedTo?: string;
  /** Revoke only while no credential was handed over. */
  readonly ifUndelivered?: boolean;
}

/** Answer of the query `lease`. */
export interface LeaseView {
  readonly leaseId: string;
  readonly state: LeaseState;
  readonly project: string;
  readonly config: string;
  readonly dynamicSecret: string;
  readonly holder: string;
  readonly integration: string | null;
  readonly entity: string | null;
  readonly requestedAt: string;
  readonly issuedAt: string | null;
  readonly expiresAt: string | null;
  /** Whether the sealed credential was handed to a claim. */
  readonly delivered: boolean;
  readonly extensions: number;
  /** Who asked for the end, and why; null while nobody did. */
  readonly endedBy: string | null;
  readonly reason: string | null;
  readonly endedAt: string | null;
  readonly failure: LeaseFailure | null;
}

/** A lease workflow's result. */
export interface LeaseOutcome {
  readonly leaseId: string;
  readonly state: LeaseEnd;
  readonly delivered: boolean;
  readonly endedAt: string;
  readonly endedBy: string | null;
  readonly reason: string | null;
  readonly failure: LeaseFailure | null;
}

export const claim = defineUpdate<Claim, [ClaimInput]>('claim');
export const extend = defineUpdate<Extension, [ExtendInput]>('extend');
export const revoke = defineSignal<[RevokeInput?]>('revoke');
export const abandon = defineSignal<[RevokeInput?]>('abandon');
export const nudge = defineSignal('nudge');
export const lease = defineQuery<LeaseView>('lease');

/** Tells an incident that a lease's removal fails. */
export const report = defineSignal('report');

// --- Records ---------------------------------------------------------------------------------------------------------

/** What is written to the audit log about leases and incidents. */
export type RecordedEvent =
  | 'issued'
  | 'denied'
  | 'failed'
  | 'extended'
  | 'stuck'
  | 'expired'
  | 'revoked'
  | 'abandoned'
  | 'incident_opened'
  | 'incident_closed';

/** One decision, for the audit log and the metrics. Never a secret. */
export interface RecordInput {
  /** The same for each repeat of the same record: `<lease id>/<run id>/<event>`, with a number from the second on. */
  readonly id: string;
  readonly event: RecordedEvent;
  readonly leaseId: string | null;
  readonly holder: string | null;
  readonly project: string | null;
  readonly config: string | null;
  readonly dynamicSecret: string | null;
  readonly integration: string | null;
  readonly entity: string | null;
  readonly by: string | null;
  readonly reason: string | null;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

// --- Activities ------------------------------------------------------------------------------------------------------

/** JSON: what an integration wrote down before it made anything, and all it needs to remove it. Never a secret. */
export type Handle = Readonly<Record<string, string | number | boolean | null>>;

/** Bounds of one lease's activities, fixed in history when the lease is planned. All in milliseconds. */
export interface Timings {
  /** Schedule-to-close of provision. */
  readonly issueTimeoutMs: number;
  /** Start-to-close of one attempt to provision or extend. */
  readonly attemptTimeoutMs: number;
  /** Silence after which an attempt counts as lost. */
  readonly heartbeatTimeoutMs: number;
  /** How long after a create the provider may still answer "absent". */
  readonly consistencyWindowMs: number;
  /** How long removal may take before the lease is called stuck. */
  readonly stuckAfterMs: number;
}

export interface PlanInput {
  readonly leaseId: string;
  readonly input: LeaseInput;
  /** Whether a run before this one may have made something, which is to be removed whether or not this one may make it. */
  readonly again?: boolean;
}

export interface Plan {
  readonly integration: string;
  /** The integration's type in words, e.g. `AWS IAM user`. */
  readonly kind: string;
  /** Name of the entity at the provider: `<prefix>-<deployment>-<lease>`. */
  readonly entity: string;
  readonly handle: Handle;
  readonly ttlMs: number;
  readonly timings: Timings;
  /** Of a run that must make nothing, and is planned for what it has to remove; absent: it may. */
  readonly refusal?: LeaseFailure;
}

export interface ProvisionInput {
  readonly leaseId: string;
  readonly project: string;
  readonly config: string;
  readonly dynamicSecret: string;
  readonly integration: string;
  readonly entity: string;
  readonly handle: Handle;
  readonly ttlMs: number;
  readonly issueTimeoutMs: number;
  readonly recipient: RecipientJwk;
}

export interface Provisioned {
  readonly sealed: string;
  readonly usableAt: string | null;
  readonly facts: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

/**
 * First detail of the failure that ends provision. `nothingMade`: certain that the provider holds nothing of this lease, so
 * that removal need not wait until absence can be believed.
 */
export interface ProvisionFailureDetail {
  readonly nothingMade: boolean;
}

export interface PlanExtensionInput {
  readonly project: string;
  readonly config: string;
  readonly dynamicSecret: string;
  readonly ttlMs: number;
  /** Milliseconds since the lease was issued. */
  readonly ageMs: number;
}

export interface ExtendActivityInput {
  readonly leaseId: string;
  readonly integration: string;
  readonly entity: string;
  readonly handle: Handle;
  /** New end of the lease; the provider is given a later one. */
  readonly expiresAt: string;
}

export interface DeprovisionInput {
  readonly leaseId: string;
  readonly integration: string;
  readonly entity: string;
  readonly handle: Handle;
  /** From this instant on, "absent" alone proves absence. Before it only our own confirmed delete does. */
  readonly absenceCertainAt: string;
  /** As provision told them. Absent: it told nothing, or an earlier release asks. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** Local activities: they read the worker's configuration and ask no provider. */
export interface PlanningActivities {
  plan(input: PlanInput): Promise<Plan>;
  /** Refuses a TTL that the dynamic secret does not allow now. */
  planExtension(input: PlanExtensionInput): Promise<void>;
}

export interface ProvisionActivities {
  provision(input: ProvisionInput): Promise<Provisioned>;
}

export interface DeprovisionActivities {
  deprovision(input: DeprovisionInput): Promise<void>;
  extend(input: ExtendActivityInput): Promise<void>;
}

/** On a queue of their own: what looks after all leases of an integration takes no slot from the removal of one. */
export interface UpkeepActivities {
  /** Tries one removal that fails; fails itself, to be tried again, until one succeeds or none fails any more. */
  probe(input: ProbeInput): Promise<ProbeResult>;
  /** Nudges the integration's leases whose removal waits for its next attempt. Answers how many. */
  nudgeWaiting(input: IntegrationInput): Promise<number>;
  sweep(input: SweepInput): Promise<SweepReport>;
  /** Tries the connection's credential and rights, changing nothing. A provider that refuses is an answer, not a failure. */
  check(input: IntegrationInput): Promise<CheckAnswer>;
}

/** On the workflow queue: they ask Temporal, write and send, and need no integration's credential. */
export interface KeepingActivities {
  /** Writes an audit line and counts it. */
  record(input: RecordInput): Promise<void>;
  /** Opens the integration's incident, or tells it of one more stuck lease. Answers advice for the lease's page, if any. */
  reportStuck(input: IntegrationInput): Promise<string | null>;
  survey(input: IntegrationInput): Promise<Survey>;
  /** Names of those who are told of incidents. */
  webhooks(): Promise<readonly string[]>;
  notify(input: NotifyInput): Promise<void>;
  /** Answers the block that is in force for its filter: this one, or an earlier one. */
  placeBlock(input: Block): Promise<Block>;
  /** Revokes every lease that the filter means and that is not being removed yet. */
  revokeMatching(input: RevokeRoundInput): Promise<RevokeRound>;
}

export interface IntegrationInput {
  readonly integration: string;
}

export interface ProbeInput extends IntegrationInput {
  /** Whether `waiting` may be answered. Absent: an incident of an earlier release asks, which would ask again at once. */
  readonly mayWait?: boolean;
}

export interface ProbeResult {
  /**
   * `removed`: the provider did what was asked. `quiet`: nothing is being removed any more. `waiting`: removals are under way or wait until
   * absence can be believed, and none fails or is stuck.
   */
  readonly outcome: 'removed' | 'quiet' | 'waiting';
}

/** An integration's removals as Temporal knows them. */
export interface Survey {
  readonly stuck: number;
  /** Under way, waiting for another attempt or stuck. */
  readonly removing: number;
  /** One of the stuck, and what its last attempt said. */
  readonly example: { readonly leaseId: string; readonly failure: string | null } | null;
}

export interface NotifyInput {
  readonly webhook: string;
  /** The same for each repeat of the same notice. */
  readonly id: string;
  readonly kind: 'stuck' | 'recovered';
  readonly title: string;
  readonly text: string;
  readonly at: string;
  readonly facts: Readonly<Record<string, string | number | null>>;
}

export interface IncidentInput extends IntegrationInput {
  /** The incident that the run before this one had not brought to its end. */
  readonly open?: OpenIncident;
  /** What has not reached everybody yet. */
  readonly unsent?: readonly Outgoing[];
}

/** A notice to one of the webhooks, or a line for the audit log. */
export type Outgoing = { readonly notice: NotifyInput } | { readonly record: RecordInput };

export interface OpenIncident {
  readonly id: string;
  readonly openedAt: string;
  /** When people were told last; null: they have not been. */
  readonly alertedAt: string | null;
  /** How often they were. */
  readonly alerts: number;
  /** Leases that were stuck when it was last looked. */
  readonly stuck: number;
  /** Whether they had not become more between two looks: what joins them then is news. */
  readonly settled: boolean;
  /** Rounds of nudges without a rest between them, and the last one. */
  readonly nudgeRounds: number;
  readonly nudgedAt: string | null;
}

export interface SweepInput extends IntegrationInput {
  /** Only says what would be removed. */
  readonly dryRun: boolean;
  /** Another installation, which no longer exists, to clean up after; null: this one. */
  readonly deployment: string | null;
}

/** What one sweep saw and did. Lists are cut at {@link SWEEP_LISTED} entries; the counts are whole. */
export interface SweepReport {
  readonly integration: string;
  readonly deployment: string;
  readonly dryRun: boolean;
  readonly examined: number;
  /** Entities of leases that run and are not overdue. */
  readonly live: number;
  /** Entities whose lease is over, or not known, and whose time to be removed has not come yet. */
  readonly waiting: number;
  readonly removed: number;
  readonly removals: readonly SweptEntity[];
  readonly failed: number;
  readonly failures: readonly { readonly entity: string; readonly failure: string }[];
  /** Entities by name of other installations, which are not touched. */
  readonly foreign: Readonly<Record<string, number>>;
  /** Names that are only half ours, which are not touched. */
  readonly unmarked: number;
  readonly unmarkedNames: readonly string[];
}

export type SweepReason = 'closed' | 'late' | 'unknown' | 'other installation';

export interface SweptEntity {
  readonly entity: string;
  readonly leaseId: string;
  readonly reason: SweepReason;
  /** What was known of the lease, in a sentence. */
  readonly why: string;
}

export const SWEEP_LISTED = 100;

// --- Blocks and bulk revokes -----------------------------------------------------------------------------------------

/** Which requests a block refuses: all that is given must be so, and something is given. */
export interface BlockFilter {
  readonly holder?: string;
  readonly project?: string;
  readonly config?: string;
  readonly dynamicSecret?: string;
  readonly integration?: string;
}

/** Keeps leases from being issued until an admin lifts it. */
export interface Block {
  readonly id: string;
  readonly filter: BlockFilter;
  readonly by: string;
  readonly reason: string;
  readonly at: string;
}

export interface BlocksInput {
  readonly blocks: readonly Block[];
}

/** The blocks in force, in the memo of their workflow: to be read without a worker, and from a run that was ended by hand too. */
export const BLOCKS_MEMO = 'blocks';

export const MAX_BLOCKS = 200;

/** Answers the block that is in force for this filter. */
export const block = defineUpdate<Block, [Block]>('block');
/** Answers whether there was such a block. */
export const lift = defineUpdate<boolean, [{ readonly id: string }]>('lift');

/** Which leases a bulk revoke means: all that is given must be so, and something is given. */
export interface RevokeFilter extends BlockFilter {
  /** Name of what was made at the provider. */
  readonly entity?: string;
}

export interface BulkRevokeInput {
  readonly id: string;
  readonly filter: RevokeFilter;
  readonly by: string;
  readonly reason: string;
}

/** How far a bulk revoke has got, in its workflow's memo: to be read without a worker. */
export interface BulkRevokeProgress extends BulkRevokeInput {
  /** `incomplete`: every lease was told again and again, and some do not react. */
  readonly state: 'running' | 'done' | 'incomplete';
  readonly requestedAt: string;
  readonly endedAt: string | null;
  /** What keeps more from being issued; null: not placed yet, or none is needed for an entity alone. */
  readonly blockId: string | null;
  /** Why there is no block although one is needed; null otherwise. */
  readonly remark: string | null;
  /** Listings so far. */
  readonly rounds: number;
  /** Leases that they found; one that did not react at once is found, and told, more than once. */
  readonly matched: number;
  readonly signalled: number;
  /** Found by the last listing. */
  readonly left: number;
  /** Being removed at the last listing, or stuck. */
  readonly stillRemoving: number;
}

export const BULK_REVOKE_MEMO = 'bulkRevoke';

export interface RevokeRoundInput extends BulkRevokeInput {
  readonly round: number;
  /** Leases requested later are kept out by the block and not looked for; null: there is none. */
  readonly until: string | null;
}

/** How far a round has got: what its activity heartbeats. */
export interface RoundProgress {
  readonly found: number;
  readonly signalled: number;
}

export interface RevokeRound extends RoundProgress {
  readonly removing: number;
}

// --- Checks ----------------------------------------------------------------------------------------------------------

/** A provider's own limit. */
export interface Quota {
  /** In words, e.g. `IAM users in the account`. */
  readonly what: string;
  readonly used: number;
  readonly limit: number;
}

export interface Check {
  /** As whom the provider knows the orchestrator, e.g. an ARN; null: it does not tell. */
  readonly identity: string | null;
  /** By the provider's own names, e.g. `iam:DeleteUser`. */
  readonly missingRights: readonly string[];
  /** Rights that cannot be tried without making something. */
  readonly untriedRights: readonly string[];
  readonly quota: Quota | null;
  /** What else an operator should know, in sentences. */
  readonly notes: readonly string[];
}

/** What one worker found. */
export interface CheckAnswer {
  /** The worker that answered. */
  readonly worker: string;
  /** Null: the provider cannot be reached or refuses the credential itself, see `failure`. */
  readonly check: Check | null;
  readonly failure: LeaseFailure | null;
}

/** `unserved`: no worker took it up. `unanswered`: one did, and nothing came of it. */
export type CheckOutcome = CheckAnswer | 'unserved' | 'unanswered';
