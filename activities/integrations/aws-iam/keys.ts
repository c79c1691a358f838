import { CreateAccessKeyCommand, DeleteAccessKeyCommand, ListAccessKeysCommand } from '@aws-sdk/client-iam';
import { IntegrationError } from '../integration';
import type { Calls } from './calls';
import { isNotFound } from '../aws/errors';
import { collectPages } from './pages';

export interface AccessKey {
  readonly id: string;
  readonly secret: string;
}

/**
 * Deletes every access key of the user but the one to keep. A key of an earlier attempt is of no use to anybody: its
 * secret was shown once, and lost.
 */
export async function deleteKeys(calls: Calls, userName: string, keep?: string): Promise<void> {
  const keys = await collectPages(async (marker) => {
    const page = await calls.read(new ListAccessKeysCommand({ UserName: userName, Marker: marker }));
    return { items: page.AccessKeyMetadata, truncated: page.IsTruncated, marker: page.Marker };
  });
  for (const { AccessKeyId: id } of keys) {
    if (id === undefined || id === keep) continue;
    try {
      await calls.change(new DeleteAccessKeyCommand({ UserName: userName, AccessKeyId: id }));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
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
