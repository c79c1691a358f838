import { GetAccountSummaryCommand } from '@aws-sdk/client-iam';
import type { Quota } from '../integration';
import type { Reader } from './calls';
import { hasCode } from '../aws/errors';

/** What is left of the account's users; null when the orchestrator may not know, or is not told. */
export async function readQuota(reader: Reader): Promise<Quota | null> {
  try {
    return await readSummary(reader);
  } catch (error) {
    if (hasCode(error, 'AccessDenied')) return null;
    throw error;
  }
}

/** The same; without the right to know it fails. */
export async function readSummary(reader: Reader): Promise<Quota | null> {
  const { SummaryMap: summary } = await reader.read(new GetAccountSummaryCommand({}));
  const used = summary?.Users;
  const limit = summary?.UsersQuota;
  return used === undefined || limit === undefined ? null : { what: 'IAM users in the account', used, limit };
}
