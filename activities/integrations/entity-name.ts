import { LEASE_ID_PATTERN } from '../../workflows/contract';
import type { EntityMark } from './integration';

/** `-<deployment>-<lease>`: 8 and 24 characters with a hyphen before each. What a provider's longest name leaves is the prefix's. */
export const MARK_LENGTH = 34;

const DEPLOYMENT_PATTERN = /^[a-z2-7]{8}$/;

/** The name of a lease's entity at the provider. */
export function entityName(prefix: string, { deployment, leaseId }: EntityMark): string {
  return `${prefix}-${deployment}-${leaseId}`;
}

/** Whose entity it is, as its name says; null: no name that {@link entityName} makes with this prefix. */
export function parseEntityName(prefix: string, name: string): EntityMark | null {
  if (!name.startsWith(`${prefix}-`)) return null;
  const [deployment = '', leaseId = '', ...rest] = name.slice(prefix.length + 1).split('-');
  const isMark = rest.length === 0 && DEPLOYMENT_PATTERN.test(deployment) && LEASE_ID_PATTERN.test(leaseId);
  return isMark ? { deployment, leaseId } : null;
}
