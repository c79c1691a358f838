import { boundsOf } from '../bounds';
import { dynamicSecretsBody } from '../wire';
import { CALL_TIMEOUT_MS, toLeaseError } from './calls';
import { ask } from './remote';
import type { Remote } from './remote';

/** What can be leased, as far as the token reaches. */
export interface OfferedSecret {
  readonly project: string;
  readonly config: string;
  readonly dynamicSecret: string;
  /** The names in each of its credentials. */
  readonly fields: readonly string[];
}

/** See `HttpLeases.offered`. */
export async function offeredOverHttp(
  remote: Remote,
  project: string,
  config: string,
): Promise<readonly OfferedSecret[]> {
  const query = new URLSearchParams({ project, config }).toString();
  try {
    const answer = await ask(
      remote,
      boundsOf(CALL_TIMEOUT_MS),
      { method: 'GET', path: `/v1/dynamic-secrets?${query}`, harmless: true },
      dynamicSecretsBody,
    );
    return answer.dynamic_secrets.map(({ name, fields, ...place }) => ({
      project: place.project,
      config: place.config,
      dynamicSecret: name,
      fields,
    }));
  } catch (error) {
    throw toLeaseError(error);
  }
}
