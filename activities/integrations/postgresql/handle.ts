import type { Handle } from '../../../workflows/contract';
import { entityName, isNameOf } from '../entity-name';
import { IntegrationError } from '../integration';
import type { EntityMark, EntityPlan, PlanContext } from '../integration';
import type { PostgresqlConnection } from './connection';
import type { PostgresqlParameters } from './parameters';

/** What becomes of what a leased role owns. `owner` null: it is not known who should get it. */
export type Estate = { readonly owned: 'drop' } | { readonly owned: 'reassign'; readonly owner: string | null };

/** What removal needs to know about a role, whatever has become of the configuration. */
export interface RoleHandle {
  readonly role: string;
  readonly estate: Estate;
}

/** From names alone to the role's name and handle. Pure. */
export function planRole(
  context: PlanContext,
  connection: PostgresqlConnection,
  parameters: PostgresqlParameters,
): EntityPlan {
  const role = entityName(connection.name_prefix, context);
  return { entity: role, handle: handleOf(role, estateOf(parameters), connection) };
}

/** `host` and `port` are there for whoever reads the lease. */
export function handleOf(role: string, estate: Estate, { host, port }: PostgresqlConnection): Handle {
  return { role, owned: estate.owned, owner: estate.owned === 'reassign' ? estate.owner : null, host, port };
}

export function estateOf({ owned, owner, set_role: setRole }: PostgresqlParameters): Estate {
  return owned === 'drop' ? { owned } : { owned, owner: owner ?? setRole ?? null };
}

/**
 * Reads a handle of any lease.
 * @throws IntegrationError `InvalidInput` when it is no handle of ours.
 */
export function parseHandle(handle: Handle, operation: string): RoleHandle {
  const { role, owned, owner } = handle;
  if (typeof role !== 'string') {
    throw new IntegrationError('InvalidInput', { operation, hint: 'The handle names no role.' });
  }
  const heir = typeof owner === 'string' ? owner : null;
  return { role, estate: owned === 'drop' ? { owned } : { owned: 'reassign', owner: heir } };
}

/**
 * Reads a handle from history.
 * @throws IntegrationError `InvalidInput` when it is no handle of ours, `Refused` when it is another lease's.
 */
export function readHandle(handle: Handle, mark: EntityMark, operation: string): RoleHandle {
  const parsed = parseHandle(handle, operation);
  if (!isNameOf(parsed.role, mark)) {
    throw new IntegrationError('Refused', {
      operation,
      entity: parsed.role,
      hint: 'The handle is not of this lease.',
    });
  }
  return parsed;
}
