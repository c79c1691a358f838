import { LEASE_ID_PATTERN } from '../../workflows/contract';
import type { EntityMark } from './integration';

/** `-<deployment>-<lease>`: 8 and 24 characters with a hyphen before each. What a provider's longest name leaves is the prefix's. */
export const MARK_LENGTH = 34;

/** All that any provider's names may begin with here. No text that it stands in takes one of these for anything but itself. */
const PREFIX_PATTERN = /^[A-Za-z0-9+=,.@_-]+$/;

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

/**
 * Whether {@link entityName} makes this name for this entity, with any prefix. A handle comes from history, where whoever may write to
 * the namespace can have put what they liked.
 */
export function isNameOf(name: string, { deployment, leaseId }: EntityMark): boolean {
  const prefix = name.slice(0, -MARK_LENGTH);
  const mark = PREFIX_PATTERN.test(prefix) ? parseEntityName(prefix, name) : null;
  return mark !== null && mark.deployment === deployment && mark.leaseId === leaseId;
}
