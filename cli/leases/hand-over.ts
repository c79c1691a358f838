import type { Lease } from '../../client/http';
import { EXIT, FailedError } from '../exit';
import { NotPrintedError, print } from '../output/print';
import { tell } from '../output/tell';

/**
 * Prints what was made of a lease. A credential that nobody got must not live on: if it cannot be written out, or the command is called
 * off before it was, the lease is revoked.
 * @throws FailedError if it was not handed over.
 */
export async function handOver(lease: Lease, text: string, signal: AbortSignal): Promise<void> {
  try {
    await Promise.race([print(text), rejectOnAbort(signal)]);
  } catch (error) {
    const why = error instanceof NotPrintedError ? error.message : 'The command was called off.';
    const sentence = `${why} ${await takeBack(lease)}`;
    if (!signal.aborted) throw new FailedError(sentence);
    tell(sentence);
    // A reader that does not read would keep the process waiting for it.
    process.exit(EXIT.interrupted);
  }
}

async function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => {
      reject(new Error('aborted'));
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

async function takeBack(lease: Lease): Promise<string> {
  const { leaseId, expiresAt } = lease;
  try {
    await lease.revoke({ reason: 'its credential was not printed' });
    return `Lease ${leaseId} was revoked.`;
  } catch {
    return (
      `Lease ${leaseId} could not be revoked and ends by itself at ${expiresAt.toISOString()}. ` +
      `Before that: leasehold leases revoke ${leaseId}`
    );
  }
}
