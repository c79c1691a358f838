import { isInScope } from '../identity/identity';
import type { Identity } from '../identity/identity';
import { refusal } from '../errors';

/** What an act of an admin is about; without a config all of the project, without a project everything. */
export interface Reach {
  readonly project?: string | undefined;
  readonly config?: string | undefined;
}

/** Whether all that is meant lies within an identity's scopes. */
export function covers({ scopes }: Identity, { project, config }: Reach): boolean {
  return scopes.some(
    (scope) =>
      (scope.project === '*' || (project !== undefined && scope.project === project)) &&
      (scope.config === '*' || (config !== undefined && scope.config === config)),
  );
}

/**
 * @param sentence refuses, where nothing that is named is out of reach.
 * @throws ApiError 404 for a project or config out of reach; 403 if none is named and the scopes are not everything.
 */
export function requireReach(identity: Identity, reach: Reach, sentence: string): void {
  if (covers(identity, reach)) return;
  const { project, config } = reach;
  if (project !== undefined && !isInScope(identity, project, config)) {
    throw refusal(404, 'not_found', 'There is no such project or config within the scopes of the token.');
  }
  throw refusal(403, 'forbidden', sentence);
}
