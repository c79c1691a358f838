import type { HttpIssueRequest, HttpLeases, Lease } from '../../client/http';
import { deliver } from '../deliver';
import { EXIT, FailedError, tellError } from '../exit';
import { listenForInterrupt } from '../interrupt';
import { NotPrintedError } from '../output/print';
import { tell } from '../output/tell';

/** What is printed of a lease, and what is told beside it. */
export interface HandOver {
  /** May fail. */
  readonly write: (lease: Lease) => string | Promise<string>;
  readonly tellMore?: (lease: Lease) => void;
}

/**
 * Leases a credential, prints it and answers the exit code. What nobody got must not live on: if it cannot be written out, or the
 * command is called off before it was, the lease is revoked.
 */
export async function leaseAndPrint(
  leases: HttpLeases,
  request: HttpIssueRequest,
  { write, tellMore }: HandOver,
): Promise<number> {
  const interrupt = listenForInterrupt({ hangUp: true });
  const { signal } = interrupt;
  try {
    const lease = await leases.issue({ ...request, signal });
    await handOver(lease, write, signal);
    tellMore?.(lease);
    return EXIT.done;
  } catch (error) {
    const code = tellError(error);
    return signal.aborted ? EXIT.interrupted : code;
  } finally {
    interrupt.close();
  }
}

/** @throws FailedError if it was not handed over. */
async function handOver(lease: Lease, write: HandOver['write'], signal: AbortSignal): Promise<void> {
  try {
    await deliver(await write(lease), signal);
  } catch (error) {
    const sentence = `${explain(error, signal)} ${await takeBack(lease)}`;
    if (!signal.aborted) throw new FailedError(sentence);
    tell(sentence);
    // A reader that does not read would keep the process waiting for it.
    process.exit(EXIT.interrupted);
  }
}

function explain(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'The command was called off.';
  if (error instanceof NotPrintedError || error instanceof FailedError) return error.message;
  return 'What was leased could not be written down.';
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
