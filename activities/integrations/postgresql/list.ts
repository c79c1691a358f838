import { escapeLiteral } from 'pg';
import { parseEntityName } from '../entity-name';
import type { EntityPage, ListedEntity } from '../integration';
import type { Reader, Row } from './calls';
import type { PostgresqlConnection } from './connection';
import { handleOf } from './handle';
import { readEstate } from './mark';

const PAGE_SIZE = 200;

/** One page of the roles whose names begin with the connection's prefix, in the order of their names. */
export async function listRoles(
  reader: Reader,
  connection: PostgresqlConnection,
  cursor: string | null,
): Promise<EntityPage> {
  const first = `${connection.name_prefix}-`;
  const after = cursor === null ? `rolname >= ${escapeLiteral(first)}` : `rolname > ${escapeLiteral(cursor)}`;
  const [rows = []] = await reader.read('ListRoles', [
    "SELECT rolname, shobj_description(oid, 'pg_authid') AS comment FROM pg_roles " +
      `WHERE ${after} AND starts_with(rolname, ${escapeLiteral(first)}) ORDER BY rolname LIMIT ${PAGE_SIZE}`,
  ]);
  const entities = rows.flatMap((row) => describeRole(row, connection));
  return { entities, next: rows.length < PAGE_SIZE ? null : (entities.at(-1)?.entity ?? null) };
}

/** PostgreSQL does not keep when a role was made. */
function describeRole({ rolname, comment }: Row, connection: PostgresqlConnection): ListedEntity[] {
  if (typeof rolname !== 'string') return [];
  const estate = readEstate(typeof comment === 'string' ? comment : null);
  const mark = parseEntityName(connection.name_prefix, rolname);
  return [{ entity: rolname, mark, handle: handleOf(rolname, estate, connection), createdAt: null }];
}
