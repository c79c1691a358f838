import { GetUserCommand } from '@aws-sdk/client-iam';
import type { User } from '@aws-sdk/client-iam';
import type { Calls, Reader } from './calls';
import { isDenied, isNotFound } from '../aws/errors';
import { restate } from '../own-errors';
import type { UserHandle } from './handle';
import { assertOurs } from './mark';
import { IntegrationError } from '../integration';

/** IAM does not know the path of a user that does not exist, and decides as if it were `/`. */
const NEEDED =
  'Grant the orchestrator this action on the names of leased users without their path, too: rights by path alone do not ' +
  'cover users that do not exist, and without an answer about those no lease can begin and no removal be proven. ' +
  'See "What the orchestrator may do" in docs/integrations/aws-iam.md.';

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

/**
 * The same for a user that was made a moment ago: an endpoint that does not know it yet may refuse the look, which then
 * says no more than that it did not show the user.
 */
export async function findNewUser(calls: Calls, handle: UserHandle): Promise<User | undefined> {
  try {
    return await findUser(calls, handle);
  } catch (error) {
    if (isDenied(error)) return undefined;
    throw error;
  }
}

/** Whoever has the name, or undefined when IAM says that nobody has. */
export async function readUser(reader: Reader, name: string): Promise<User | undefined> {
  try {
    const { User: user } = await reader.read(new GetUserCommand({ UserName: name }));
    if (user !== undefined) return user;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (isDenied(error)) throw restate(error, 'Refused', NEEDED);
    throw error;
  }
  throw new IntegrationError('Unavailable', { operation: 'GetUser', entity: name, hint: 'The answer held no user.' });
}
