import { LEASE_ID_PATTERN } from '../workflows/contract';
import type { Plan, PlanExtensionInput, PlanInput, PlanningActivities } from '../workflows/contract';
import { checkTtlRange, formatTtl } from '../workflows/ttl';
import type { Config, DynamicSecret } from '../config/load';
import { findDynamicSecret } from '../config/load';
import { checkRecipient, thumbprint } from '../sealing/recipient';
import { integrationOf } from './connections';
import { refuse } from './failures';
import type { IntegrationType } from './integrations/integration';

export interface PlanningDeps {
  readonly config: Config;
  readonly types: Readonly<Record<string, IntegrationType>>;
  /** This installation's mark on entities. */
  readonly deployment: string;
}

/** The local activities: they decide from the configuration alone, and every refusal leaves nothing made. */
export function createPlanning(deps: PlanningDeps): PlanningActivities {
  return {
    plan: (input) => plan(deps, input),
    planExtension: (input) => planExtension(deps, input),
  };
}

async function plan({ config, types, deployment }: PlanningDeps, { leaseId, input }: PlanInput): Promise<Plan> {
  if (!LEASE_ID_PATTERN.test(leaseId)) {
    throw refuse('InvalidInput', 'The workflow id is no lease id: 24 characters of lower-case base 32 are expected.');
  }
  await checkKey(input.recipient, input.thumbprint);
  const dynamicSecret = find(config, input);
  const { settings, type } = integrationOf(config, types, dynamicSecret.integration);
  if (settings.retired) {
    throw refuse('IntegrationRetired', `Integration ${dynamicSecret.integration} is retired: it issues no new leases.`);
  }
  const ttlMs = input.ttlMs ?? dynamicSecret.defaultTtlMs;
  checkTtl(ttlMs, dynamicSecret);
  const { entity, handle } = type.plan(
    { leaseId, deployment, integration: dynamicSecret.integration },
    settings.connection,
    dynamicSecret.parameters,
  );
  const { issueTimeoutMs, attemptTimeoutMs, heartbeatTimeoutMs, stuckAfterMs } = settings.timings;
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
      consistencyWindowMs: settings.timings.consistencyWindowMs ?? type.consistencyWindowMs,
    },
  };
}

async function planExtension({ config }: PlanningDeps, input: PlanExtensionInput): Promise<void> {
  const dynamicSecret = find(config, input);
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

async function checkKey(recipient: unknown, claimed: string): Promise<void> {
  let actual: string;
  try {
    actual = await thumbprint(checkRecipient(recipient));
  } catch {
    throw refuse('InvalidInput', 'recipient must be a public key: X25519 or P-256, as a JWK.');
  }
  if (actual !== claimed) throw refuse('InvalidInput', 'thumbprint is not the RFC 7638 thumbprint of recipient.');
}
