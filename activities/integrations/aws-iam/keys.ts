import { CreateAccessKeyCommand, DeleteAccessKeyCommand, ListAccessKeysCommand } from '@aws-sdk/client-iam';
import { IntegrationError } from '../integration';
import type { Calls } from './calls';
import { removeEach } from './remove-each';

export interface AccessKey {
  readonly id: string;
  readonly secret: string;
}

/**
 * Deletes every access key of the user but the one to keep. A key of an earlier attempt is of no use to anybody: its
 * secret was shown once, and lost.
 * @returns the ids of those whose deletion IAM confirmed.
 */
export async function deleteKeys(calls: Calls, UserName: string, keep?: string): Promise<readonly string[]> {
  const deleted: string[] = [];
  await removeEach(
    async (Marker) => {
      const page = await calls.read(new ListAccessKeysCommand({ UserName, Marker }));
      return { items: page.AccessKeyMetadata, truncated: page.IsTruncated, marker: page.Marker };
    },
    async ({ AccessKeyId: id }) => {
      if (id === undefined) return;
      await calls.change(new DeleteAccessKeyCommand({ UserName, AccessKeyId: id }));
      deleted.push(id);
    },
    ({ AccessKeyId: id }) => id === keep,
  );
  return deleted;
}

export async function createKey(calls: Calls, userName: string): Promise<AccessKey> {
  const { AccessKey: key } = await calls.change(new CreateAccessKeyCommand({ UserName: userName }));
  if (key?.AccessKeyId === undefined || key.SecretAccessKey === undefined) {
    throw new IntegrationError('Unavailable', {
      operation: 'CreateAccessKey',
      entity: userName,
      hint: 'The answer held no key.',
    });
  }
  return { id: key.AccessKeyId, secret: key.SecretAccessKey };
}
