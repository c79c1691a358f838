import { Context } from '@temporalio/activity';
import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import type { AuditRecord, AuditWriter } from '../../audit/writer';
import type { Config } from '../../config/load';
import type { Logger } from '../../telemetry/logger';
import type { Metrics } from '../../telemetry/metrics';
import { deploymentId } from '../../temporal/deployment';
import { summarise } from '../../temporal/lease-summary';
import { CALL_TIMEOUT_MS, explainFailure } from '../../temporal/service';
import { LEASE_WORKFLOW } from '../../workflows/contract';
import type { SweepInput, SweepReport, SweptEntity } from '../../workflows/contract';
import { attemptStart } from '../attempt-start';
import { CLOCK_SKEW_MS } from '../clock-skew';
import { integrationOf } from '../connections';
import type { Connections } from '../connections';
import { refuse, toFailure } from '../failures';
import { alsoRequire, guardAttempt, stopOf } from '../fence';
import { IntegrationError } from '../integrations/integration';
import type { Attempt, EntityMark, Integration, IntegrationType, ListedEntity } from '../integrations/integration';
import { createTally } from './tally';
import { judgeLease, judgeMarked } from './verdict';
import type { SeenLease, SweepRules } from './verdict';

export interface SweepDeps {
  readonly config: Config;
  readonly types: Readonly<Record<string, IntegrationType>>;
  readonly client: Client;
  readonly namespace: string;
  readonly connections: Connections;
  readonly deployment: string;
  readonly audit: AuditWriter;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Leases begun before `max_ttl` was lowered may live longer than it allows now. */
const AT_LEAST_MS = 7 * 86_400_000;
/** First looks at leases at the same time: most live, and then this is all that a sweep asks about them. */
const LOOKS_AT_ONCE = 8;
/** So many unanswered calls one after the other are the provider's fault, not the entities'. */
const FAILURES_IN_A_ROW = 10;

/**
 * Removes what outlived its lease. Looks at each entity of the integration by name, asks Temporal for its lease, and again right
 * before it removes anything. Whatever it cannot make out for certain stops it or is left alone.
 */
export async function sweep(deps: SweepDeps, input: SweepInput): Promise<SweepReport> {
  const { integration: name } = input;
  const isRegular = !input.dryRun && input.deployment === null;
  const context = Context.current();
  const guard = guardAttempt(context, { deployment: deps.deployment, leaseId: '' });
  try {
    await checkDeployment(deps);
    const report = await openSweep(deps, input, guard.attempt, await serverClock(context))();
    if (isRegular) deps.metrics.sweepEnded(name, 'done', total(report.foreign), report.unmarked);
    deps.logger.info({ ...report, removals: undefined, unmarkedNames: undefined }, 'A sweep has ended.');
    return report;
  } catch (error) {
    const failure = explain(stopOf(error, guard.attempt) ?? error, context.info.attempt);
    if (guard.attempt.fence.signal.aborted) throw failure;
    if (isRegular) deps.metrics.sweepEnded(name, 'stopped', 0, 0);
    deps.logger.error({ integration: name, error: failure }, 'A sweep was stopped.');
    if (failure.nonRetryable === true) await tellRefusal(deps, context, name, failure.message);
    throw failure;
  } finally {
    guard.close();
  }
}

/** The sweep ends by this failure, written down or not. */
async function tellRefusal(
  { audit, logger }: SweepDeps,
  context: Context,
  name: string,
  reason: string,
): Promise<void> {
  const id = `sweep/${context.info.workflowExecution?.runId ?? context.info.activityId}/sweep_refused`;
  try {
    await audit.write({ id, event: 'sweep_refused', integration: name, reason });
  } catch (error) {
    logger.error({ integration: name, error }, 'That a sweep was refused could not be written down.');
  }
}

/** The clock of the server, or behind it: a worker's own may be wrong. */
async function serverClock(context: Context): Promise<() => Date> {
  const local = performance.now();
  const started = (await attemptStart(context)).getTime();
  return () => new Date(started + (performance.now() - local));
}

function openSweep(
  deps: SweepDeps,
  input: SweepInput,
  attempt: Attempt,
  clock: () => Date,
): () => Promise<SweepReport> {
  const { integration: name, dryRun } = input;
  const { settings } = integrationOf(deps.config, deps.types, name);
  const integration = deps.connections.open(name);
  const target = input.deployment ?? deps.deployment;
  const isOwn = target === deps.deployment;
  if (input.deployment !== null && isOwn) {
    throw refuse('InvalidInput', `${target} is this installation itself: sweep without naming a deployment.`);
  }
  const longestTtlMs = longestTtl(deps.config, name);
  const rules = (): SweepRules => ({
    now: clock(),
    graceMs: settings.sweep.graceMs,
    overdueAfterMs: settings.sweep.overdueAfterMs,
    longestTtlMs,
    // What another installation allows its leases is not known here.
    longestMarkMs: isOwn ? longestTtlMs + settings.timings.issueTimeoutMs + CLOCK_SKEW_MS : Infinity,
  });
  const tally = createTally(name, target, dryRun);

  /** What Temporal knows of the leases that these were made for; undefined: they are not the target's. */
  const lookUp = (entities: readonly ListedEntity[]): Promise<readonly (SeenLease | null | undefined)[]> =>
    Promise.all(
      entities.map(({ mark }) =>
        mark?.deployment === target ? seeLease(deps.client, mark.leaseId, isOwn) : Promise.resolve(undefined),
      ),
    );

  const examine = async (entity: ListedEntity, seen: SeenLease | null | undefined): Promise<void> => {
    const { mark } = entity;
    if (mark === null) {
      tally.unmarked(entity.entity);
      return;
    }
    if (seen === undefined) {
      if (mark.deployment !== deps.deployment) tally.foreign(mark.deployment);
      return;
    }
    if (seen === null) {
      tally.unmarked(entity.entity);
      return;
    }
    const first = judgeLease(seen, rules());
    if (first.do === 'keep' || first.do === 'wait') {
      tally.left(first.do);
      return;
    }
    await judgeClosely(entity, mark, integration);
  };

  const judgeClosely = async (entity: ListedEntity, mark: EntityMark, integration: Integration): Promise<void> => {
    const marks = await integration.readMarks(entity.handle, attempt.fence.signal);
    tally.answered();
    if (marks === null) return;
    if (marks.deployment !== mark.deployment || marks.leaseId !== mark.leaseId) {
      tally.unmarked(entity.entity);
      return;
    }
    // Anew: reading the marks may have taken long, and nothing is removed on yesterday's word.
    const seen = await seeLease(deps.client, mark.leaseId, isOwn);
    if (seen === null) return;
    const verdict = judgeMarked(seen, marks, entity.createdAt, rules());
    if (verdict.do !== 'remove') {
      tally.left(verdict.do === 'keep' ? 'keep' : 'wait');
      return;
    }
    const reason = isOwn ? verdict.reason : 'other installation';
    const removal: SweptEntity = { entity: entity.entity, leaseId: mark.leaseId, reason, why: verdict.why };
    const check = async (): Promise<void> => {
      const now = await seeLease(deps.client, mark.leaseId, isOwn);
      const same = now !== null && now.runId === seen.runId;
      if (!same || judgeMarked(now, marks, entity.createdAt, rules()).do !== 'remove') throw new LeaseMovedOn();
    };
    try {
      if (!dryRun) await remove(entity, mark, removal, check, seen.runId ?? 'unknown');
      tally.removed(removal);
    } catch (error) {
      if (!(error instanceof LeaseMovedOn)) throw error;
      tally.left('keep');
    }
  };

  const remove = async (
    entity: ListedEntity,
    mark: EntityMark,
    { reason, why }: SweptEntity,
    check: () => Promise<void>,
    runId: string,
  ): Promise<void> => {
    const event = reason === 'late' ? 'late' : 'swept';
    const line = (phase: 'begun' | 'done'): AuditRecord => ({
      id: `${mark.leaseId}/${runId}/${event}${phase === 'begun' ? '' : '/done'}`,
      event,
      leaseId: mark.leaseId,
      integration: name,
      entity: entity.entity,
      by: 'sweep',
      reason: why,
      details: { reason, deployment: mark.deployment, phase },
    });
    // Before the deed: what was removed and is not written down could never be explained.
    await deps.audit.write(line('begun'));
    await integration.deprovision(entity.handle, alsoRequire({ ...attempt, ...mark }, check));
    deps.metrics.swept(name, reason);
    await deps.audit.write(line('done'));
  };

  return async () => {
    for (let cursor: string | null = null; ;) {
      const page = await integration.list(cursor, attempt.fence.signal);
      for (let from = 0; from < page.entities.length; from += LOOKS_AT_ONCE) {
        attempt.fence.signal.throwIfAborted();
        const group = page.entities.slice(from, from + LOOKS_AT_ONCE);
        const seen = await lookUp(group);
        for (const [index, entity] of group.entries()) {
          attempt.fence.signal.throwIfAborted();
          tally.examined();
          await survive(entity, () => examine(entity, seen[index]));
        }
      }
      cursor = page.next;
      if (cursor === null) return tally.report();
      await checkDeployment(deps);
    }
  };

  /** One entity that cannot be removed hides no other; a provider that answers nothing ends the sweep. */
  async function survive(entity: ListedEntity, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof IntegrationError)) throw error;
      deps.metrics.providerError(name, 'sweep', error.type);
      const inARow = tally.failed(entity.entity, error.message, isAway(error));
      if (inARow >= FAILURES_IN_A_ROW) throw error;
    }
  }
}

/** Whether the provider did not answer, as opposed to answering that this entity cannot be removed. */
function isAway({ type, facts }: IntegrationError): boolean {
  if (type === 'Throttled') return true;
  return type === 'Unavailable' && (facts.httpStatus === undefined || facts.httpStatus >= 500);
}

/** The lease is not what it was when its entity was judged. */
class LeaseMovedOn extends Error {
  override readonly name = 'LeaseMovedOn';
}

/** Null: the id is another workflow's. Only Temporal's own word that there is no such lease counts as unknown. */
async function seeLease(client: Client, leaseId: string, isOwn: boolean): Promise<SeenLease | null> {
  if (!isOwn) return UNKNOWN;
  try {
    const info = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      client.workflow.getHandle(leaseId).describe(),
    );
    if (info.type !== LEASE_WORKFLOW) return null;
    const { state, expiresAt, endedAt } = summarise(info);
    const { runId } = info;
    if (endedAt === null) return { is: 'running', runId, expiresAt, isRemoving: REMOVING.includes(state) };
    return {
      is: 'closed',
      runId,
      closedAt: endedAt,
      how: state === 'terminated' ? 'was terminated in Temporal' : `is ${state}`,
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return UNKNOWN;
    throw ApplicationFailure.create({
      type: 'Unavailable',
      message: `Temporal did not say what became of lease ${leaseId}, and nothing more is removed. ${explainFailure(error)}`,
    });
  }
}

const UNKNOWN: SeenLease = { is: 'unknown', runId: null };
const REMOVING: readonly string[] = ['deprovisioning', 'stuck'];

/** A namespace made anew, or another one, knows none of our leases: every entity would look forgotten. */
async function checkDeployment({ client, namespace, deployment }: SweepDeps): Promise<void> {
  const now = await deploymentId(client.connection, namespace);
  if (now === deployment) return;
  throw refuse(
    'Refused',
    `The namespace ${namespace} is not the one that this worker was started in (deployment ${now}, not ${deployment}): nothing was removed. Restart the worker.`,
  );
}

function longestTtl(config: Config, integration: string): number {
  const ttls = Object.values(config.projects)
    .flatMap(({ configs }) => Object.values(configs))
    .flatMap(({ dynamicSecrets }) => Object.values(dynamicSecrets))
    .filter((dynamicSecret) => dynamicSecret.integration === integration)
    .map(({ maxTtlMs }) => maxTtlMs);
  return Math.max(AT_LEAST_MS, ...ttls);
}

function explain(error: unknown, attempt: number): ApplicationFailure {
  return toFailure(error, { verb: 'sweep', attempt, first: false, mutations: 0 });
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
