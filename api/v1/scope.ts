import type { Config, DynamicSecret } from '../../config/load';
import { findDynamicSecret } from '../../config/load';
import { quote } from '../../workflows/quote';
import { ApiError } from '../errors';
import { isInScope } from '../identity/identity';
import type { Identity } from '../identity/identity';

/**
 * A dynamic secret that the identity may know of.
 * @throws ApiError 404 `unknown_dynamic_secret`, the same for what is out of scope and for what there is not.
 */
export function requireDynamicSecret(
  config: Config,
  identity: Identity,
  { project, config: name, dynamicSecret }: { project: string; config: string; dynamicSecret: string },
): DynamicSecret {
  const found = isInScope(identity, project, name) ? findDynamicSecret(config, project, name, dynamicSecret) : null;
  if (found?.ok === true) return found.dynamicSecret;
  // Which projects and configs there are is told to nobody who may not use them.
  const isKnown = found?.missing === 'dynamic secret';
  throw new ApiError(
    404,
    'unknown_dynamic_secret',
    isKnown
      ? found.message
      : `There is no config ${quote(name)} in a project ${quote(project)}, or the token may not use it.`,
  );
}
