import { resolveReference, UnresolvedReference } from '../config/reference';
import { refusal } from './errors';
import type { Place } from './place';

/**
 * The values of static secrets, read at this moment from where the configuration says they are.
 * @throws ApiError 502 that names the first that is not there.
 */
export function readStatics(
  { project, config, settings }: Place,
  names: readonly string[],
): ReadonlyMap<string, string> {
  return new Map(
    names.map((name) => {
      const secret = settings.secrets[name];
      if (secret === undefined) throw refusal(404, 'not_found', `${project}/${config} has no secret ${name}.`);
      try {
        return [name, 'literal' in secret ? secret.literal : resolveReference(secret.reference)];
      } catch (error) {
        if (!(error instanceof UnresolvedReference)) throw error;
        throw refusal(
          502,
          'unavailable',
          `The value of ${name} in ${project}/${config} is not there. ${error.message}`,
        );
      }
    }),
  );
}
