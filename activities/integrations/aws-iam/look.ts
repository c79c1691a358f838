import { GetUserCommand } from '@aws-sdk/client-iam';
import type { User } from '@aws-sdk/client-iam';
import type { Calls, Reader } from './calls';
import { isNotFound } from './errors';
import type { UserHandle } from './handle';
import { assertOurs } from './mark';
import { IntegrationError } from '../integration';

/**
 * This lease's user, or undefined when IAM says there is none.
 * @throws IntegrationError `Refused` when the name belongs to somebody else.
 */
export async function findUser(calls: Calls, handle: UserHandle): Promise<User | undefined> {
  const user = await readUser(calls, handle.userName);
  if (user === undefined) return undefined;
  assertOurs(user, handle, calls.attempt);
  return user;
}

/** Whoever has the name, or undefined when IAM says that nobody has. */
export async function readUser(reader: Reader, name: string): Promise<User | undefined> {
  try {
    const { User: user } = await reader.read(new GetUserCommand({ UserName: name }));
    if (user !== undefined) return user;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  throw new IntegrationError('Unavailable', { operation: 'GetUser', entity: name, hint: 'The answer held no user.' });
}
