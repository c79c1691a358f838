import { ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import { LEASE_WORKFLOW } from '../workflows/contract';
import type {
  DeprovisionActivities,
  DeprovisionInput,
  ExtendActivityInput,
  ProvisionActivities,
  Provisioned,
  ProvisionInput,
} from '../workflows/contract';
import type { Config } from '../config/load';
import { seal } from '../sealing/seal';
import { SealingError } from '../sealing/sealing-error';
import type { AttemptOutcome, Metrics } from '../telemetry/metrics';
import { attemptStart } from './attempt-start';
import { CLOCK_SKEW_MS } from './clock-skew';
import type { Connections } from './connections';
import { refuse, toFailure } from './failures';
import type { FailedAttempt } from './failures';
import { guardAttempt, stopOf } from './fence';
import type { Reporter } from './incidents/reporter';
import type { Attempt, IntegrationType, Made } from './integrations/integration';
import { IntegrationError } from './integrations/integration';
import { requirePlanned } from './planned';
import { readFacts } from './told-facts';
import type { QuotaGate } from './quota';

export interface LeaseDeps {
  readonly config: Config;
  readonly connections: Connections;
  readonly deployment: string;
  readonly metrics: Metrics;
}

export interface ProvisionDeps extends LeaseDeps {
  readonly types: Readonly<Record<string, IntegrationType>>;
  readonly quota: QuotaGate;
}

export interface DeprovisionDeps extends LeaseDeps {
  readonly reporter: Reporter;
}

export function createProvisionActivities(deps: ProvisionDeps): ProvisionActivities {
  return {
    provision: (input) => guarded(deps, 'provision', input, (attempt) => provision(deps, input, attempt)),
  };
}

/** An attempt may fail now and then; from this one on the integration's incident is told. */
const HINT_FROM_ATTEMPT = 4;

export function createDeprovisionActivities(deps: DeprovisionDeps): DeprovisionActivities {
  return {
    deprovision: async (input) => {
      try {
        await guarded(deps, 'deprovision', input, (attempt) => deprovision(deps, input, attempt));
      } catch (error) {
        const unproven = error instanceof ApplicationFailure && error.type === 'AbsenceUnproven';
        const { attempt } = Context.current().info;
        if (!unproven && attempt >= HINT_FROM_ATTEMPT) deps.reporter.hint(input.integration);
        throw error;
      }
    },
    extend: (input) => guarded(deps, 'extend', input, (attempt) => extend(deps, input, attempt)),
  };
}

async function provision(deps: ProvisionDeps, input: ProvisionInput, attempt: Attempt): Promise<Provisioned> {
  const { attempt: number, scheduledTimestampMs } = Context.current().info;
  const { parameters } = requirePlanned(deps, input, number);
  const integration = deps.connections.open(input.integration);
  // Later attempts may have made it already, and then need no room.
  if (number === 1) await deps.quota.pass(input.integration);
  // From the server's clock, and from the last instant at which provision can end: the backstop never beats the lease.
  const backstop = new Date(scheduledTimestampMs + input.issueTimeoutMs + input.ttlMs + CLOCK_SKEW_MS);
  const made = await integration.provision(input.handle, parameters, backstop, attempt);
  refuseLeak(made, input.entity);
  const sealed = await sealOrRefuse(made, input);
  return { sealed, usableAt: made.usableAt?.toISOString() ?? null, facts: made.facts, notes: made.notes };
}

async function extend(deps: LeaseDeps, input: ExtendActivityInput, attempt: Attempt): Promise<void> {
  const backstop = new Date(Date.parse(input.expiresAt) + CLOCK_SKEW_MS);
  await deps.connections.open(input.integration).extend(input.handle, backstop, attempt);
}

async function deprovision(deps: LeaseDeps, input: DeprovisionInput, attempt: Attempt): Promise<void> {
  const { integration, handle, facts } = input;
  const removal = await deps.connections.open(integration).deprovision(handle, attempt, readFacts(facts));
  if (removal.result === 'removed') return;
  // Both instants are the server's: a worker whose clock is wrong proves nothing too early.
  const lookedAfter = await attemptStart(Context.current());
  const missing = Date.parse(input.absenceCertainAt) - lookedAfter.getTime();
  if (missing <= 0) return;
  throw new IntegrationError('AbsenceUnproven', {
    operation: 'The look before the end',
    entity: input.entity,
    hint: `It is repeated until ${input.absenceCertainAt}, because ${removal.because ?? 'what was being made may still appear'}.`,
    retryAfterMs: Math.min(missing, Math.max(LOOK_EVERY_MS, missing * LOOK_AGAIN_AFTER)),
  });
}

async function sealOrRefuse(made: Made, { recipient, leaseId }: ProvisionInput): Promise<string> {
  try {
    return await seal(made.credential, recipient, leaseId);
  } catch (error) {
    if (error instanceof SealingError) throw refuse('InvalidInput', error.message);
    throw error;
  }
}

const LOOK_EVERY_MS = 30_000;
/** Share of what is missing: a wait of hours is not looked at twice a minute. */
const LOOK_AGAIN_AFTER = 0.1;

/** Facts and notes are stored in the clear. An integration that puts a credential there is stopped before it is. */
function refuseLeak(made: Made, entity: string): void {
  const open = JSON.stringify([made.facts, made.notes]);
  if (
    Object.entries(made.credential).some(
      ([name, value]) =>
        made.open?.includes(name) !== true && value.length >= 8 && open.includes(JSON.stringify(value).slice(1, -1)),
    )
  ) {
    throw new IntegrationError('Refused', {
      operation: 'Sealing',
      entity,
      hint: 'The integration put a part of the credential among the facts that are stored in the clear.',
    });
  }
}

/** Whoever may write to the namespace may start an activity alone, past plan, limits, blocks and audit log. */
function requireLease({ info }: Context, leaseId: string): void {
  if (info.workflowExecution?.workflowId === leaseId && info.workflowType === LEASE_WORKFLOW) return;
  throw refuse('InvalidInput', 'Credentials are made, extended and removed by the workflow of their lease alone.');
}

async function guarded<T>(
  deps: LeaseDeps,
  verb: FailedAttempt['verb'],
  { leaseId, integration }: { readonly leaseId: string; readonly integration: string },
  run: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const guard = guardAttempt(context, { deployment: deps.deployment, leaseId });
  const begun = performance.now();
  const took = (outcome: AttemptOutcome): void => {
    deps.metrics.attempted(integration, verb, outcome, performance.now() - begun);
  };
  try {
    requireLease(context, leaseId);
    const result = await run(guard.attempt);
    took('done');
    return result;
  } catch (error) {
    const { attempt, scheduledTimestampMs, currentAttemptScheduledTimestampMs } = context.info;
    const first = attempt === 1 && scheduledTimestampMs === currentAttemptScheduledTimestampMs;
    const failed: FailedAttempt = { verb, attempt, first, mutations: guard.mutations() };
    if (error instanceof IntegrationError && error.type !== 'AbsenceUnproven') {
      deps.metrics.providerError(integration, verb, error.type);
    }
    took(error instanceof IntegrationError && error.type === 'AbsenceUnproven' ? 'waiting' : 'failed');
    throw toFailure(stopOf(error, guard.attempt) ?? error, failed);
  } finally {
    guard.close();
  }
}
