import { parseEntityName } from '../entity-name';
import { IntegrationError } from '../integration';
import type { EntityMarks, EntityPage, ListedEntity } from '../integration';
import { apiKeys } from './api-keys';
import { allApplicationKeys } from './application-keys';
import type { Reader } from './calls';
import type { DatadogConnection } from './connection';
import { kindsOf } from './deprovision';
import { handleOf } from './handle';
import type { KeysHandle } from './handle';
import { findKeysIfAny, isLast } from './keys';
import type { ListedKey } from './keys';
import { wantsApiKey, wantsApplicationKey } from './kinds';

type Kind = 'api' | 'application';

/**
 * One page of the keys whose names begin with the connection's prefix, first API keys, then application keys of whomever. The
 * keys of a pair are listed as two entities of one name. Datadog counts pages by numbers: what is deleted while somebody
 * leafs through moves others to a page that was read already. Those are met the next time.
 */
export async function listKeys(
  reader: Reader,
  connection: DatadogConnection,
  cursor: string | null,
): Promise<EntityPage> {
  const kinds = kindsHere(connection);
  const { kind, number } = cursor === null ? { kind: kinds[0], number: 0 } : parseCursor(cursor);
  const source = kind === 'api' ? apiKeys : allApplicationKeys;
  const page = await reader.read(source.list(`${connection.name_prefix}-`, number));
  const following = kinds[kinds.indexOf(kind) + 1];
  const nextKind = following === undefined ? null : `${following}:0`;
  return {
    entities: page.keys.flatMap((key) => describeKey(key, kind, connection)),
    next: isLast(page, number) ? nextKind : `${kind}:${number + 1}`,
  };
}

/**
 * Reads the marks on a lease's keys; null: there is none of them. A name is all that Datadog keeps of a mark, and no expiry is
 * in it: of a lease that nobody knows the sweep goes by when its keys were made, and waits as long as any lease may live.
 */
export async function readKeyMarks(
  reader: Reader,
  handle: KeysHandle,
  connection: DatadogConnection,
): Promise<EntityMarks | null> {
  for (const kind of kindsOf(handle)) {
    const found = await findKeysIfAny(reader, kind, handle.name);
    // A key that a list has just shown, and whose account is said to be unknown, is the removal's to look into and to tell of.
    if (found !== 'no owner' && found.length === 0) continue;
    const mark = parseEntityName(connection.name_prefix, handle.name);
    return { deployment: mark?.deployment ?? null, leaseId: mark?.leaseId ?? null, expiresAt: null };
  }
  return null;
}

function describeKey(key: ListedKey, kind: Kind, { name_prefix: prefix }: DatadogConnection): ListedEntity[] {
  const { name, createdAt, ownerId } = key;
  if (!name.startsWith(`${prefix}-`)) return [];
  const isApi = kind === 'api';
  // An application key is found again through its owner only.
  const mark = isApi || ownerId !== null ? parseEntityName(prefix, name) : null;
  const handle = handleOf({ name, apiKey: isApi, serviceAccount: isApi ? null : ownerId });
  return [{ entity: name, mark, handle, createdAt }];
}

function kindsHere({ keys }: DatadogConnection): [Kind, ...Kind[]] {
  if (!wantsApiKey(keys)) return ['application'];
  return wantsApplicationKey(keys) ? ['api', 'application'] : ['api'];
}

function parseCursor(cursor: string): { readonly kind: Kind; readonly number: number } {
  const [kind, number = '', ...rest] = cursor.split(':');
  if ((kind === 'api' || kind === 'application') && /^\d{1,9}$/.test(number) && rest.length === 0) {
    return { kind, number: Number(number) };
  }
  throw new IntegrationError('InvalidInput', { operation: 'Listing', hint: 'The cursor is not one of ours.' });
}
