import { explainFailure } from '../temporal/service';
import type { ApiDeps } from './deps';
import { refusal } from './errors';

const ANSWER_WITHIN_MS = 3_000;
/** How long an answer is believed. */
const FRESH_MS = 1_000;

/**
 * Makes sure that Temporal answers, so that without it a request is refused within seconds and begins nothing: what is begun is
 * waited for much longer. Requests at the same time ask once.
 * @throws ApiError 502 `unavailable`.
 */
export function createReach({ client }: Pick<ApiDeps, 'client'>): () => Promise<void> {
  let freshUntil = 0;
  let asked: Promise<void> | null = null;

  const ask = async (): Promise<void> => {
    try {
      await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () => client.workflowService.getSystemInfo({}));
      freshUntil = Date.now() + FRESH_MS;
    } catch (error) {
      throw refusal(502, 'unavailable', `${explainFailure(error)} Nothing was begun.`, {
        undelivered: 'nothing started',
      });
    } finally {
      asked = null;
    }
  };

  return () => {
    if (Date.now() < freshUntil) return Promise.resolve();
    return (asked ??= ask());
  };
}
