import { createHash } from 'node:crypto';
import { encodeBase32 } from './base32';
import { TemporalError } from './connection';
import { CALL_TIMEOUT_MS, explainFailure } from './service';
import type { TemporalService } from './service';

/**
 * This installation's mark on entities at a provider: 8 base-32 characters of SHA-256 of the namespace's UUID. Two namespaces
 * of one name, or a namespace made anew, are two installations.
 * @throws TemporalError if the namespace cannot be described.
 */
export async function deploymentId(service: TemporalService, namespace: string): Promise<string> {
  let uuid: string | null | undefined;
  try {
    const answer = await service.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      service.workflowService.describeNamespace({ namespace }),
    );
    uuid = answer.namespaceInfo?.id;
  } catch (error) {
    throw new TemporalError(`Namespace ${JSON.stringify(namespace)} cannot be described. ${explainFailure(error)}`);
  }
  if (typeof uuid !== 'string' || uuid === '') {
    throw new TemporalError(`Temporal told no id of the namespace ${JSON.stringify(namespace)}.`);
  }
  return markOf(uuid);
}

/** The mark of the namespace with this UUID. */
export function markOf(uuid: string): string {
  return encodeBase32(createHash('sha256').update(uuid).digest()).slice(0, 8);
}
