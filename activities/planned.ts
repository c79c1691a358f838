import { isDeepStrictEqual } from 'node:util';
import type { ProvisionInput } from '../workflows/contract';
import { checkTtlRange } from '../workflows/ttl';
import type { Config, DynamicSecret } from '../config/load';
import { integrationOf } from './connections';
import { refuse } from './failures';
import type { IntegrationType } from './integrations/integration';

export interface PlannedDeps {
  readonly config: Config;
  readonly types: Readonly<Record<string, IntegrationType>>;
  readonly deployment: string;
}

/** The longest `issue_timeout` that a configuration may have. */
const LONGEST_ISSUE_MS = 30 * 60_000;

/**
 * Lets only pass what this worker would have planned itself. The plan comes from history, and who can write there must not get what
 * no dynamic secret allows: a longer life, another path or role, another owner of what is left.
 * @throws ApplicationFailure `InvalidInput` or `InvalidTtl`
 */
export function requirePlanned(
  { config, types, deployment }: PlannedDeps,
  { leaseId, integration, entity, handle, ttlMs, issueTimeoutMs }: ProvisionInput,
  { minTtlMs, maxTtlMs, parameters }: DynamicSecret,
): void {
  const problem = checkTtlRange(ttlMs, minTtlMs, maxTtlMs);
  if (problem !== null) throw refuse('InvalidTtl', problem);
  const { settings, type } = integrationOf(config, types, integration);
  const own = type.plan({ leaseId, deployment, integration, ttlMs, issueTimeoutMs }, settings.connection, parameters);
  const isBounded = issueTimeoutMs > 0 && issueTimeoutMs <= LONGEST_ISSUE_MS;
  if (isBounded && own.entity === entity && isDeepStrictEqual(own.handle, handle)) return;
  throw refuse(
    'InvalidInput',
    'The configuration of this worker plans this lease in another way than it was planned. Issue a new lease; if that fails too, the workers run different configurations.',
  );
}
