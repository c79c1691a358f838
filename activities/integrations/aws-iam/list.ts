import { ListUsersCommand } from '@aws-sdk/client-iam';
import type { User } from '@aws-sdk/client-iam';
import { parseEntityName } from '../entity-name';
import type { EntityPage, ListedEntity } from '../integration';
import type { Reader } from './calls';
import type { AwsIamConnection } from './connection';
import { handleOf } from './handle';

/** What IAM gives on one page when nothing is said; written out because the sweep's pace depends on it. */
const PAGE_SIZE = 100;

/** One page of the users under the connection's path whose names begin with its prefix. */
export async function listUsers(
  reader: Reader,
  connection: AwsIamConnection,
  cursor: string | null,
): Promise<EntityPage> {
  const page = await reader.read(
    new ListUsersCommand({
      PathPrefix: connection.path,
      MaxItems: PAGE_SIZE,
      ...(cursor === null ? {} : { Marker: cursor }),
    }),
  );
  return {
    entities: (page.Users ?? []).flatMap((user) => describeUser(user, connection)),
    next: page.IsTruncated === true ? (page.Marker ?? null) : null,
  };
}

function describeUser(user: User, connection: AwsIamConnection): ListedEntity[] {
  const { UserName: entity, CreateDate: createdAt = null } = user;
  if (entity?.startsWith(`${connection.name_prefix}-`) !== true) return [];
  // The listing reaches into paths below the connection's: nothing there was made by it.
  const mark = user.Path === connection.path ? parseEntityName(connection.name_prefix, entity) : null;
  return [{ entity, mark, handle: handleOf(entity, connection), createdAt }];
}
