import type { Handle } from '../../../workflows/contract';
import { entityName, isNameOf } from '../entity-name';
import { IntegrationError } from '../integration';
import type { EntityMark, EntityPlan, PlanContext } from '../integration';
import type { AwsIamConnection } from './connection';

/** What removal needs to know about a user, whatever has become of the configuration. */
export interface UserHandle {
  readonly userName: string;
  readonly path: string;
  /** The configured region, for whoever reads the lease; null: what the worker's environment says. */
  readonly region: string | null;
}

/** From names alone to the user's name and handle. Pure. */
export function planUser(context: PlanContext, connection: AwsIamConnection): EntityPlan {
  const userName = entityName(connection.name_prefix, context);
  return { entity: userName, handle: handleOf(userName, connection) };
}

export function handleOf(userName: string, connection: AwsIamConnection): Handle {
  return { userName, path: connection.path, region: connection.region ?? null };
}

/**
 * Reads a handle of any lease.
 * @throws IntegrationError `InvalidInput` when it is no handle of ours.
 */
export function parseHandle(handle: Handle, operation: string): UserHandle {
  const { userName, path, region } = handle;
  if (typeof userName !== 'string' || typeof path !== 'string') {
    throw new IntegrationError('InvalidInput', { operation, hint: 'The handle names no IAM user.' });
  }
  return { userName, path, region: typeof region === 'string' ? region : null };
}

/**
 * Reads a handle from history.
 * @throws IntegrationError `InvalidInput` when it is no handle of ours, `Refused` when it is another lease's.
 */
export function readHandle(handle: Handle, mark: EntityMark, operation: string): UserHandle {
  const user = parseHandle(handle, operation);
  if (!isNameOf(user.userName, mark)) {
    throw new IntegrationError('Refused', {
      operation,
      entity: user.userName,
      hint: 'The handle is not of this lease.',
    });
  }
  return user;
}
