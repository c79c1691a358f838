import type { Handle } from '../../../workflows/contract';
import { entityName } from '../entity-name';
import { IntegrationError } from '../integration';
import type { EntityPlan, PlanContext } from '../integration';
import type { AwsStsConnection } from './connection';
import type { AwsStsParameters } from './parameters';
import { durationSeconds } from './span';

/** What was decided about a session before it was made. */
export interface SessionHandle {
  readonly sessionName: string;
  readonly roleArn: string;
  readonly durationSeconds: number;
}

/** From names and the TTL to the session's name, role and length. Pure. */
export function planSession(
  context: PlanContext,
  connection: AwsStsConnection,
  { role_arn: roleArn }: AwsStsParameters,
): EntityPlan {
  const sessionName = entityName(connection.name_prefix, context);
  const seconds = durationSeconds(context.ttlMs, context.issueTimeoutMs);
  return {
    entity: sessionName,
    handle: { sessionName, roleArn, durationSeconds: seconds, region: connection.region ?? null },
    livesOnMs: seconds * 1_000,
  };
}

/**
 * Reads a handle from history.
 * @throws IntegrationError `InvalidInput` when it is no handle of ours.
 */
export function readHandle(handle: Handle): SessionHandle {
  const { sessionName, roleArn, durationSeconds: seconds } = handle;
  if (typeof sessionName !== 'string' || typeof roleArn !== 'string' || typeof seconds !== 'number') {
    throw new IntegrationError('InvalidInput', { operation: 'AssumeRole', hint: 'The handle names no role session.' });
  }
  return { sessionName, roleArn, durationSeconds: seconds };
}
