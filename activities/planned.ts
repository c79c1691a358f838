import { isDeepStrictEqual } from 'node:util';
import { ApplicationFailure } from '@temporalio/common';
import type { Handle, LeaseFailureType, ProvisionInput } from '../workflows/contract';
import { checkTtlRange } from '../workflows/ttl';
import type { Config, DynamicSecret } from '../config/load';
import { findDynamicSecret } from '../config/load';
import { MAX_ISSUE_TIMEOUT_MS } from '../config/schema';
import { integrationOf } from './connections';
import { refuse } from './failures';
import type { IntegrationType } from './integrations/integration';

export interface PlannedDeps {
  readonly config: Config;
  readonly types: Readonly<Record<string, IntegrationType>>;
  readonly deployment: string;
}

/** While a new configuration or release reaches one worker after the other, the next attempt may be another worker's. */
const LAST_ATTEMPT = 5;

/**
 * Lets only pass what this worker would have planned itself. The plan comes from history, and who can write there must not get what
 * no dynamic secret allows: a longer life, another path or role, another owner of what is left.
 * @param attempt which attempt it is, from 1.
 * @returns the dynamic secret that the lease is of.
 * @throws ApplicationFailure `UnknownDynamicSecret`, `InvalidTtl` or `Unavailable`; the first few attempts may be made again.
 */
export function requirePlanned(
  { config, types, deployment }: PlannedDeps,
  input: ProvisionInput,
  attempt: number,
): DynamicSecret {
  const { leaseId, integration, entity, handle, ttlMs, issueTimeoutMs } = input;
  const refuseHere = (type: LeaseFailureType, message: string): ApplicationFailure =>
    attempt >= LAST_ATTEMPT ? refuse(type, message) : ApplicationFailure.create({ type, message, category: 'BENIGN' });
  const found = findDynamicSecret(config, input.project, input.config, input.dynamicSecret);
  if (!found.ok) throw refuseHere('UnknownDynamicSecret', found.message);
  const { dynamicSecret } = found;
  if (dynamicSecret.integration !== integration) {
    throw refuseHere(
      'UnknownDynamicSecret',
      `${input.dynamicSecret} was planned for integration ${integration}, which it does not belong to any more.`,
    );
  }
  const problem = checkTtlRange(ttlMs, dynamicSecret.minTtlMs, dynamicSecret.maxTtlMs);
  if (problem !== null) throw refuseHere('InvalidTtl', problem);
  const { settings, type } = integrationOf(config, types, integration);
  const own = type.plan(
    { leaseId, deployment, integration, ttlMs, issueTimeoutMs },
    settings.connection,
    dynamicSecret.parameters,
  );
  const isBounded = issueTimeoutMs > 0 && issueTimeoutMs <= MAX_ISSUE_TIMEOUT_MS;
  if (isBounded && own.entity === entity && isSame(own.handle, handle, type)) return dynamicSecret;
  throw refuseHere(
    'Unavailable',
    'The configuration of this worker plans this lease in another way than it was planned. Issue a new lease; if that fails too, the workers run different configurations or releases.',
  );
}

/** Whether both name the same thing. One of them came through history, as JSON. */
function isSame(own: Handle, planned: Handle, { forReaders = [] }: IntegrationType): boolean {
  const namingOf = (handle: Handle): Map<string, unknown> =>
    new Map(Object.entries(handle).filter(([name]) => !forReaders.includes(name)));
  return isDeepStrictEqual(namingOf(own), namingOf(planned));
}
