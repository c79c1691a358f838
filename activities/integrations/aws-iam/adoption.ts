import { TagUserCommand } from '@aws-sdk/client-iam';
import { removeAttachments } from './attachments';
import type { Calls } from './calls';
import type { UserHandle } from './handle';
import { deleteKeys } from './keys';
import { expiryTag } from './mark';
import type { Pace } from './pace';
import type { AwsIamParameters } from './parameters';
import { removeRareCredentials } from './rare-credentials';
import { LEASE_POLICY } from './revocation';
import { whenVisible } from './rights';
import type { Origin } from './user';

/**
 * Takes from a user that was found what a new one would not have. Its rights may be those of other parameters: the configuration can
 * have changed since. Only an earlier run of the lease can have had a holder, who may have added ways to sign in.
 */
export async function clearAdopted(
  calls: Calls,
  handle: UserHandle,
  origin: Origin,
  parameters: AwsIamParameters,
  expiry: Date,
  pace: Pace,
): Promise<void> {
  if (origin === 'new') return;
  const { userName: UserName } = handle;
  const { policy, policy_arns: policyArns, groups } = parameters;
  const kept = { groups, policyArns, inline: policy === undefined ? [] : [LEASE_POLICY] };
  const ofEarlierRun = [
    // First: whoever holds one could add the rest anew.
    () => deleteKeys(calls, UserName),
    () => removeRareCredentials(calls, UserName),
    // Last: with this mark the user looks like one that nobody has held.
    () => calls.change(new TagUserCommand({ UserName, Tags: [expiryTag(expiry)] })),
  ];
  const steps = [...(origin === 'earlier run' ? ofEarlierRun : []), () => removeAttachments(calls, UserName, kept)];
  for (const step of steps) await whenVisible<unknown>(calls, handle, pace, null, step);
}
