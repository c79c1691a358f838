import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { isLeaseFailureType, LEASE_ID_PATTERN } from '../workflows/contract';
import type {
  LeaseFailure,
  LeaseInput,
  Plan,
  PlanExtensionInput,
  PlanInput,
  PlanningActivities,
} from '../workflows/contract';
import { checkTtlRange, formatTtl } from '../workflows/ttl';
import type { Config, DynamicSecret, IntegrationSettings } from '../config/load';
import { findDynamicSecret } from '../config/load';
import { checkRecipient, thumbprint } from '../sealing/recipient';
import { seal } from '../sealing/seal';
import type { Admission } from './admission';
import { integrationOf } from './connections';
import type { Door } from './door';
import { refuse, toFailure } from './failures';
import type { IntegrationType, SelfEnding } from './integrations/integration';

export interface PlanningDeps {
  readonly config: Config;
  readonly types: Readonly<Record<string, IntegrationType>>;
  /** This installation's mark on entities. */
  readonly deployment: string;
  readonly door: Door;
  readonly admission: Admission;
}

/** The local activities: they decide from the configuration, the blocks and the limits; a refusal leaves nothing made. */
export function createPlanning(deps: PlanningDeps): PlanningActivities {
  return {
    plan: (input) => told(() => plan(deps, input)),
    planExtension: (input) =>
      told(() => {
        planExtension(deps, input);
      }),
  };
}

/** An unforeseen error is not repeated here either. */
async function told<T>(decide: () => T | Promise<T>): Promise<T> {
  try {
    return await decide();
  } catch (error) {
    throw toFailure(error, { verb: 'plan', attempt: 1, first: true, mutations: 0 });
  }
}

async function plan(deps: PlanningDeps, { leaseId, input, again = false }: PlanInput): Promise<Plan> {
  const { config, types, deployment } = deps;
  if (!LEASE_ID_PATTERN.test(leaseId)) {
    throw refuse('InvalidInput', 'The workflow id is no lease id: 24 characters of lower-case base 32 are expected.');
  }
  await checkKey(leaseId, input.recipient, input.thumbprint);
  const dynamicSecret = find(config, input);
  const { settings, type } = integrationOf(config, types, dynamicSecret.integration);
  const ttlMs = input.ttlMs ?? dynamicSecret.defaultTtlMs;
  const refusal = await refusalOf(() => admit(deps, { leaseId, input, dynamicSecret, settings, type, ttlMs }));
  if (refusal !== null && !again) throw refuse(refusal.type, refusal.message);
  const { issueTimeoutMs, attemptTimeoutMs, heartbeatTimeoutMs, stuckAfterMs } = settings.timings;
  const { entity, handle, livesOnMs } = type.plan(
    { leaseId, deployment, integration: dynamicSecret.integration, ttlMs, issueTimeoutMs },
    settings.connection,
    dynamicSecret.parameters,
  );
  const windowMs = settings.timings.consistencyWindowMs ?? type.consistencyWindowMs;
  return {
    integration: dynamicSecret.integration,
    kind: type.kind,
    entity,
    handle,
    ttlMs,
    timings: {
      issueTimeoutMs,
      attemptTimeoutMs,
      heartbeatTimeoutMs,
      stuckAfterMs,
      // What cannot be ended is absent for certain only when it has ended by itself.
      consistencyWindowMs: windowMs + (livesOnMs ?? 0),
    },
    ...(refusal === null ? {} : { refusal }),
  };
}

interface Request {
  readonly leaseId: string;
  readonly input: LeaseInput;
  readonly dynamicSecret: DynamicSecret;
  readonly settings: IntegrationSettings;
  readonly type: IntegrationType;
  readonly ttlMs: number;
}

/** Whether a credential may be made now. @throws ApplicationFailure that says why not. */
async function admit(
  { door, admission }: PlanningDeps,
  { leaseId, input, dynamicSecret, settings, type, ttlMs }: Request,
): Promise<void> {
  if (settings.retired) {
    throw refuse('IntegrationRetired', `Integration ${dynamicSecret.integration} is retired: it issues no new leases.`);
  }
  if (settings.paused) {
    throw refuse(
      'Paused',
      `Integration ${dynamicSecret.integration} is paused: it issues no leases for now. Try again later.`,
    );
  }
  checkTtl(ttlMs, dynamicSecret);
  checkSelfEnding(ttlMs, type.selfEnding?.(settings.timings.issueTimeoutMs));
  await door.pass(input, dynamicSecret.integration);
  await admission.admit(leaseId, input, dynamicSecret, Context.current().cancellationSignal);
}

/** What is refused by rule; null: nothing. Anything else that fails is tried again. */
async function refusalOf(act: () => Promise<void>): Promise<LeaseFailure | null> {
  try {
    await act();
    return null;
  } catch (error) {
    if (error instanceof ApplicationFailure && isLeaseFailureType(error.type)) {
      return { type: error.type, message: error.message };
    }
    throw error;
  }
}

function planExtension({ config, types }: PlanningDeps, input: PlanExtensionInput): void {
  const dynamicSecret = find(config, input);
  const { type } = integrationOf(config, types, dynamicSecret.integration);
  if (type.selfEnding !== undefined) {
    throw refuse(
      'ExtensionLimit',
      `A lease of ${input.dynamicSecret} cannot be extended, and its expiry stands: how long it lives (${type.kind}) is settled when it is made. Issue a new one.`,
    );
  }
  checkTtl(input.ttlMs, dynamicSecret);
  const whole = input.ageMs + input.ttlMs;
  if (whole > dynamicSecret.maxTtlMs) {
    const left = formatTtl(Math.max(0, dynamicSecret.maxTtlMs - input.ageMs));
    throw refuse(
      'InvalidTtl',
      `A lease of ${input.dynamicSecret} may live ${formatTtl(dynamicSecret.maxTtlMs)} in all: at most ${left} from now. Issue a new one.`,
    );
  }
}

function find(
  config: Config,
  where: { readonly project: string; readonly config: string; readonly dynamicSecret: string },
): DynamicSecret {
  const found = findDynamicSecret(config, where.project, where.config, where.dynamicSecret);
  if (!found.ok) throw refuse('UnknownDynamicSecret', found.message);
  return found.dynamicSecret;
}

function checkTtl(ttlMs: number, dynamicSecret: DynamicSecret): void {
  const problem = checkTtlRange(ttlMs, dynamicSecret.minTtlMs, dynamicSecret.maxTtlMs);
  if (problem !== null) throw refuse('InvalidTtl', problem);
}

function checkSelfEnding(ttlMs: number, bounds: SelfEnding | undefined): void {
  const problem = bounds === undefined ? null : checkTtlRange(ttlMs, bounds.minTtlMs, bounds.maxTtlMs);
  if (problem !== null) throw refuse('InvalidTtl', `${problem} ${bounds?.why ?? ''}`);
}

async function checkKey(leaseId: string, recipient: unknown, claimed: string): Promise<void> {
  let actual: string;
  try {
    const jwk = checkRecipient(recipient);
    actual = await thumbprint(jwk);
    // Only using it shows whether it is a point on its curve, and later something would have been made in vain.
    await seal({ TRIAL: '' }, jwk, leaseId);
  } catch {
    throw refuse('InvalidInput', 'recipient must be a public key: X25519 or P-256, as a JWK.');
  }
  if (actual !== claimed) throw refuse('InvalidInput', 'thumbprint is not the RFC 7638 thumbprint of recipient.');
}
