import { CreateUserCommand } from '@aws-sdk/client-iam';
import type { User } from '@aws-sdk/client-iam';
import { IntegrationError } from '../integration';
import type { Calls } from './calls';
import type { AwsIamConnection } from './connection';
import { hasCode, isNotFound } from '../aws/errors';
import { restate } from '../own-errors';
import type { UserHandle } from './handle';
import { findNewUser, findUser } from './look';
import { markTags, readMarks } from './mark';
import type { Pace } from './pace';

/**
 * Where the lease's user comes from. `earlier attempt`: one of this provision made it, and nobody was given its key, which may still
 * be there. `earlier run`: the lease was provisioned before, and whoever held its key may have changed the user.
 */
export type Origin = 'new' | 'earlier attempt' | 'earlier run';

export interface FoundUser {
  readonly arn: string;
  readonly origin: Origin;
}

/** Adopts the user that was made for this lease before, or makes it. */
export async function ensureUser(
  calls: Calls,
  handle: UserHandle,
  expiry: Date,
  connection: AwsIamConnection,
  pace: Pace,
): Promise<FoundUser> {
  const found = await findUser(calls, handle);
  if (found !== undefined) return adopt(found, handle, expiry, connection);
  const boundary = connection.permissions_boundary;
  const command = new CreateUserCommand({
    UserName: handle.userName,
    Path: handle.path,
    Tags: markTags(calls.attempt, expiry),
    ...(boundary === undefined ? {} : { PermissionsBoundary: boundary }),
  });
  try {
    const { User: user } = await calls.change(command);
    return { arn: readArn(user, handle), origin: 'new' };
  } catch (error) {
    if (hasCode(error, 'EntityAlreadyExists'))
      return adopt(await awaitUser(calls, handle, pace, error), handle, expiry, connection);
    if (isNotFound(error)) {
      throw restate(
        error,
        'InvalidInput',
        'The permissions boundary of the integration does not exist in this AWS account.',
      );
    }
    throw error;
  }
}

/** IAM says that the user exists and yet did not show it: an earlier attempt made it a moment ago. */
async function awaitUser(calls: Calls, handle: UserHandle, pace: Pace, cause: IntegrationError): Promise<User> {
  const until = Date.now() + pace.visibleWithinMs;
  for (let pauseMs = pace.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, pace.longestPauseMs)) {
    const user = await findNewUser(calls, handle);
    if (user !== undefined) return user;
    if (Date.now() + pauseMs > until || calls.remaining() < pauseMs + pace.reserveMs) throw cause;
    await calls.pause(pauseMs);
  }
}

/** An adopted user must be held by the boundary that a new one would get: it cannot be more than was asked for. */
function adopt(user: User, handle: UserHandle, expiry: Date, connection: AwsIamConnection): FoundUser {
  if (user.PermissionsBoundary?.PermissionsBoundaryArn !== connection.permissions_boundary) {
    throw new IntegrationError('Refused', {
      operation: 'GetUser',
      entity: handle.userName,
      hint: 'An earlier attempt made this user with another permissions boundary. Issue a new lease.',
    });
  }
  // All attempts of one provision mark their user with the same instant.
  const isOfThis = readMarks(user, handle).expiresAt?.getTime() === expiry.getTime();
  return { arn: readArn(user, handle), origin: isOfThis ? 'earlier attempt' : 'earlier run' };
}

function readArn(user: User | undefined, handle: UserHandle): string {
  if (user?.Arn !== undefined) return user.Arn;
  throw new IntegrationError('Unavailable', {
    operation: 'CreateUser',
    entity: handle.userName,
    hint: 'The answer held no ARN.',
  });
}
