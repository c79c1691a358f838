import { setTimeout as sleep } from 'node:timers/promises';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { IntegrationDeps } from '../integration';
import type { AwsIamConnection } from './connection';
import type { AccessKey } from './keys';
import { CLIENT_DEFAULTS, regionOf, stsEndpoint, UNPOOLED } from '../aws/settings';

/** AWS's endpoints learn of a key one after the other: one success proves little. */
const SUCCESSES_IN_A_ROW = 3;

/**
 * Waits until AWS accepted the new key several times in a row.
 * @param until when to stop waiting, whatever AWS says.
 * @returns the instant of the last success, or null when it was not seen in time.
 */
export async function awaitUsable(
  key: AccessKey,
  connection: AwsIamConnection,
  throttle: IntegrationDeps['throttle'],
  options: { readonly until: Date; readonly everyMs: number; readonly signal: AbortSignal },
): Promise<Date | null> {
  const left = options.until.getTime() - Date.now();
  if (left <= 0) return null;
  const timeUp = AbortSignal.timeout(left);
  const signal = AbortSignal.any([options.signal, timeUp]);
  const sts = new STSClient({
    ...CLIENT_DEFAULTS,
    ...stsEndpoint(connection),
    requestHandler: UNPOOLED,
    region: regionOf(connection),
    credentials: { accessKeyId: key.id, secretAccessKey: key.secret },
  });
  try {
    for (let successes = 0; ;) {
      await throttle(signal);
      const accepted = await isAccepted(sts, signal);
      if (!accepted) signal.throwIfAborted();
      successes = accepted ? successes + 1 : 0;
      if (successes === SUCCESSES_IN_A_ROW) return new Date();
      await sleep(options.everyMs, undefined, { signal });
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (timeUp.aborted) return null;
    throw error;
  } finally {
    sts.destroy();
  }
}

/** Needs no right at all: whoever gets an answer has a living key. Every other answer means: not yet, or not known. */
async function isAccepted(sts: STSClient, abortSignal: AbortSignal): Promise<boolean> {
  try {
    await sts.send(new GetCallerIdentityCommand({}), { abortSignal });
    return true;
  } catch {
    return false;
  }
}
