import { randomBytes } from 'node:crypto';
import { ListUsersCommand } from '@aws-sdk/client-iam';
import { IntegrationError } from '../integration';
import type { Check, Quota } from '../integration';
import { openReader } from './calls';
import type { CallContext, Reader } from './calls';
import type { AwsIamConnection } from './connection';
import { hasCode, isNotFound } from '../aws/errors';
import { readIdentity } from '../aws/identity';
import { readUser } from './look';
import { probe, probesFor } from './probes';
import type { Probe } from './probes';
import { readSummary } from './quota';

/** Below this share of room left the operator is told. */
const LITTLE_ROOM = 0.1;

/** Tries every right that leases need on a user that does not exist, one call after the other. Makes nothing. */
export async function checkConnection(
  context: CallContext,
  connection: AwsIamConnection,
  signal: AbortSignal,
): Promise<Check> {
  const identity = await readIdentity(context, connection, signal);
  const id = randomBytes(12).toString('hex');
  // Built like a lease's, so that a policy for such names covers it, and yet no lease's: base 32 has no 0.
  const name = `${connection.name_prefix}-check000-${id}`;
  const reader = openReader(context, signal, name);
  // A user cannot be made for a trial only, so this one right stays open.
  const findings: Findings = { missing: [], untried: ['iam:CreateUser'] };

  await tryRight(lookFor(name), reader, findings);
  for (const each of probesFor(name, id, connection, identity)) await tryRight(each, reader, findings);
  const notes = describeRights(connection, findings);

  const whole = openReader(context, signal);
  await tryRight(probe(new ListUsersCommand({ PathPrefix: connection.path, MaxItems: 1 })), whole, findings);
  const summary = { right: 'iam:GetAccountSummary', conclusive: true, send: readSummary };
  const quota = (await tryRight(summary, whole, findings)) ?? null;
  return {
    identity: identity.arn,
    missingRights: findings.missing,
    untriedRights: findings.untried,
    quota,
    notes: [...notes, ...describeRoom(quota)],
  };
}

interface Findings {
  readonly missing: string[];
  readonly untried: string[];
}

/** Comes before everything that changes users: nothing more is sent if there is such a user after all. */
function lookFor(name: string): Probe {
  return {
    right: 'iam:GetUser',
    conclusive: true,
    send: async (reader) => {
      if ((await readUser(reader, name)) === undefined) return;
      throw new IntegrationError('Unavailable', {
        operation: 'GetUser',
        entity: name,
        hint: 'IAM shows a user of a name that was made up for this check, so rights were not tried on it.',
      });
    },
  };
}

async function tryRight<T>(
  { right, conclusive, send }: Probe<T>,
  reader: Reader,
  findings: Findings,
): Promise<T | undefined> {
  try {
    return await send(reader);
  } catch (error) {
    // IAM looks for rights first and for the user afterwards.
    if (isNotFound(error)) return undefined;
    if (hasCode(error, 'AccessDenied')) (conclusive ? findings.missing : findings.untried).push(right);
    // Such as SSH keys in a partition without them: no answer about rights.
    else if (error instanceof IntegrationError && error.type === 'InvalidInput') findings.untried.push(right);
    else throw error;
    return undefined;
  }
}

function describeRights(connection: AwsIamConnection, { missing }: Findings): string[] {
  const { path, name_prefix: prefix, permissions_boundary: boundary } = connection;
  const notes: string[] = [];
  if (missing.length > 0 && path !== '/') {
    notes.push(
      `IAM takes a user that does not exist to be under the path "/": a right that is granted on user${path}* alone shows ` +
        'as missing here, and leases meet such users, too. ' +
        `Grant it on user/${prefix}-${'?'.repeat(8)}-${'?'.repeat(24)} as well.`,
    );
  }
  if (missing.length > 0 && boundary !== undefined) {
    notes.push(
      'A user that does not exist is under no permissions boundary: a right that is granted only under a condition on ' +
        'that shows as missing here. Grant without the condition what only looks or takes away.',
    );
  }
  if (boundary === undefined) {
    notes.push(
      'No permissions_boundary is set: nothing but its own policies limits what a leased user may do, and sessions of ' +
        'roles that it assumes can outlive the lease.',
    );
  }
  return notes;
}

function describeRoom(quota: Quota | null): string[] {
  if (quota === null || quota.limit - quota.used >= quota.limit * LITTLE_ROOM) return [];
  const left = Math.max(quota.limit - quota.used, 0);
  return [`There is room for ${left} more of at most ${quota.limit} IAM users in the account.`];
}
