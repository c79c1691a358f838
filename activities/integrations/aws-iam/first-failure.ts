import { IntegrationError } from '../integration';
import { areCredentialsRefused, isNotFound } from '../aws/errors';

/**
 * Does one part after the other. What AWS refuses in one must not keep the others from being done: they are, and what was refused
 * first is answered, or else what was not found.
 * @throws whatever says more than that, at once: AWS does not answer or wants to be left alone, or the attempt is over.
 */
export async function firstFailure(parts: readonly (() => Promise<unknown>)[]): Promise<IntegrationError | undefined> {
  let first: IntegrationError | undefined;
  for (const part of parts) {
    try {
      await part();
    } catch (error) {
      if (!isOfOneCall(error)) throw error;
      if (first === undefined || isNotFound(first)) first = error;
    }
  }
  return first;
}

/** The same; what was refused first is thrown at the end. */
export async function doAll(parts: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failure = await firstFailure(parts);
  if (failure !== undefined) throw failure;
}

/** AWS's own word on one call, which says nothing of the next one. */
function isOfOneCall(error: unknown): error is IntegrationError {
  if (!(error instanceof IntegrationError) || error.type === 'Throttled') return false;
  const { code, httpStatus } = error.facts;
  return code !== undefined && httpStatus !== undefined && httpStatus < 500 && !areCredentialsRefused(error);
}
