import type { IntegrationDeps, Made } from '../integration';
import { clearAdopted } from './adoption';
import type { Calls } from './calls';
import type { AwsIamConnection } from './connection';
import type { UserHandle } from './handle';
import { KEY_FACT } from './key-owner';
import { createKey, deleteKeys } from './keys';
import type { AccessKey } from './keys';
import { hasCode } from '../aws/errors';
import { restate } from '../own-errors';
import type { Pace } from './pace';
import type { AwsIamParameters } from './parameters';
import { grantRights, whenVisible } from './rights';
import { awaitUsable } from './usable';
import { ensureUser } from './user';

const OUTLIVING_SESSIONS =
  'Sessions that this key obtains with sts:AssumeRole live on to their own end, up to 12 hours, after the lease ended. ' +
  'A permissions boundary that denies sts:AssumeRole prevents them.';

export interface ProvisionContext {
  readonly connection: AwsIamConnection;
  readonly throttle: IntegrationDeps['throttle'];
  readonly pace: Pace;
}

/** Makes the lease's user, its rights and its one key, over whatever earlier attempts left. */
export async function provisionUser(
  calls: Calls,
  handle: UserHandle,
  parameters: AwsIamParameters,
  expiry: Date,
  context: ProvisionContext,
): Promise<Made> {
  const { connection, pace } = context;
  const user = await ensureUser(calls, handle, expiry, connection, pace);
  await clearAdopted(calls, handle, user.origin, parameters, expiry, pace);
  await grantRights(calls, handle, parameters, pace);
  const key = await makeOnlyKey(calls, handle, user.origin !== 'new', pace);
  const usableAt = parameters.wait_until_usable ? await seeUsable(calls, key, parameters, context) : null;
  return {
    credential: { ACCESS_KEY_ID: key.id, SECRET_ACCESS_KEY: key.secret },
    open: ['ACCESS_KEY_ID'],
    usableAt,
    facts: { arn: user.arn, user_name: handle.userName, [KEY_FACT]: key.id },
    notes: [
      ...(usableAt === null ? [describeUnseen(parameters)] : []),
      ...(connection.permissions_boundary === undefined ? [OUTLIVING_SESSIONS] : []),
    ],
  };
}

async function makeOnlyKey(calls: Calls, handle: UserHandle, adopted: boolean, pace: Pace): Promise<AccessKey> {
  const { userName } = handle;
  if (adopted) await whenVisible(calls, handle, pace, null, () => deleteKeys(calls, userName));
  const key = await whenVisible(calls, handle, pace, null, async () => {
    try {
      return await createKey(calls, userName);
    } catch (error) {
      if (!hasCode(error, 'LimitExceeded')) throw error;
      throw restate(error, 'Unavailable', 'Keys of an earlier attempt are in the way and IAM does not show them yet.');
    }
  });
  // An earlier attempt's call may have been on its way while the keys were listed.
  if (adopted) await whenVisible(calls, handle, pace, null, () => deleteKeys(calls, userName, key.id));
  return key;
}

async function seeUsable(
  calls: Calls,
  key: AccessKey,
  parameters: AwsIamParameters,
  { connection, throttle, pace }: ProvisionContext,
): Promise<Date | null> {
  const waitMs = Math.min(parameters.usable_timeout, calls.remaining() - pace.reserveMs);
  return awaitUsable(key, connection, throttle, {
    until: new Date(Date.now() + waitMs),
    everyMs: pace.usableEveryMs,
    signal: calls.attempt.fence.signal,
  });
}

function describeUnseen(parameters: AwsIamParameters): string {
  return parameters.wait_until_usable
    ? 'AWS was not yet seen to accept the key everywhere: its first calls may be refused for some seconds, seldom minutes.'
    : 'Not waited for: AWS may refuse the key for its first seconds.';
}
