import { ListUsersCommand } from '@aws-sdk/client-iam';
import type { User } from '@aws-sdk/client-iam';
import { LEASE_ID_PATTERN } from '../../../workflows/contract';
import type { EntityMark, EntityPage, ListedEntity } from '../integration';
import type { Reader } from './calls';
import type { AwsIamConnection } from './connection';
import { handleOf } from './handle';

/** What IAM gives on one page when nothing is said; written out because the sweep's pace depends on it. */
const PAGE_SIZE = 100;

const DEPLOYMENT_PATTERN = /^[a-z2-7]{8}$/;

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
  const start = `${connection.name_prefix}-`;
  if (entity?.startsWith(start) !== true) return [];
  // The listing reaches into paths below the connection's: nothing there was made by it.
  const mark = user.Path === connection.path ? parseMark(entity.slice(start.length)) : null;
  return [{ entity, mark, handle: handleOf(entity, connection), createdAt }];
}

function parseMark(text: string): EntityMark | null {
  const [deployment = '', leaseId = '', ...rest] = text.split('-');
  const isMark = rest.length === 0 && DEPLOYMENT_PATTERN.test(deployment) && LEASE_ID_PATTERN.test(leaseId);
  return isMark ? { deployment, leaseId } : null;
}
