import { TagUserCommand } from '@aws-sdk/client-iam';
import { IntegrationError } from '../integration';
import type { Calls } from './calls';
import type { UserHandle } from './handle';
import { findUser } from './look';
import { expiryTag } from './mark';

/** Moves the expiry mark of the lease's user. IAM itself ends nothing by it. */
export async function extendUser(calls: Calls, handle: UserHandle, expiry: Date): Promise<void> {
  if ((await findUser(calls, handle)) === undefined) {
    throw new IntegrationError('NotFound', { operation: 'GetUser', entity: handle.userName });
  }
  await calls.change(new TagUserCommand({ UserName: handle.userName, Tags: [expiryTag(expiry)] }));
}
