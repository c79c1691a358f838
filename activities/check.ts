import { Context } from '@temporalio/activity';
import type { ApplicationFailure } from '@temporalio/common';
import { isLeaseFailureType } from '../workflows/contract';
import type { CheckAnswer, IntegrationInput } from '../workflows/contract';
import type { Connections } from './connections';
import { toFailure } from './failures';

export interface CheckDeps {
  readonly connections: Connections;
  readonly identity: string;
}

/** Within which a provider must have answered everything: less than the attempt may take, so that the answer says so. */
const TIMEOUT_MS = 25_000;

/** What is wrong with the provider, the credential or the configuration is what was asked for, and no reason to try again. */
export async function checkIntegration(
  { connections, identity }: CheckDeps,
  { integration }: IntegrationInput,
): Promise<CheckAnswer> {
  const { cancellationSignal } = Context.current();
  const late = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const found = await connections.open(integration).check(AbortSignal.any([cancellationSignal, late]));
    return { worker: identity, check: found, failure: null };
  } catch (error) {
    if (cancellationSignal.aborted) throw toFailure(error, UNTRIED);
    return { worker: identity, check: null, failure: late.aborted ? LATE : describe(error) };
  }
}

const UNTRIED = { verb: 'check', attempt: 1, first: true, mutations: 0 } as const;
const LATE = { type: 'Unavailable', message: 'The provider has not answered everything within 25 s.' } as const;

function describe(error: unknown): NonNullable<CheckAnswer['failure']> {
  const { type, message }: ApplicationFailure = toFailure(error, UNTRIED);
  return { type: isLeaseFailureType(type) ? type : 'Unavailable', message };
}
