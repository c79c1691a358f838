import {
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
  ListUserPoliciesCommand,
  RemoveUserFromGroupCommand,
} from '@aws-sdk/client-iam';
import type { Calls } from './calls';
import { removeEach } from './remove-each';
import { REVOKED_POLICY } from './revocation';

/** Takes away what grants the user rights. The policy that denies everything goes last. */
export async function removeAttachments(calls: Calls, UserName: string): Promise<void> {
  await removeEach(
    async (Marker) => {
      const page = await calls.read(new ListGroupsForUserCommand({ UserName, Marker }));
      return { items: page.Groups, truncated: page.IsTruncated, marker: page.Marker };
    },
    ({ GroupName }) => calls.change(new RemoveUserFromGroupCommand({ UserName, GroupName })),
  );
  await removeEach(
    async (Marker) => {
      const page = await calls.read(new ListAttachedUserPoliciesCommand({ UserName, Marker }));
      return { items: page.AttachedPolicies, truncated: page.IsTruncated, marker: page.Marker };
    },
    ({ PolicyArn }) => calls.change(new DetachUserPolicyCommand({ UserName, PolicyArn })),
  );
  await removeEach(
    async (Marker) => {
      const page = await calls.read(new ListUserPoliciesCommand({ UserName, Marker }));
      return { items: page.PolicyNames, truncated: page.IsTruncated, marker: page.Marker };
    },
    (PolicyName) => calls.change(new DeleteUserPolicyCommand({ UserName, PolicyName })),
    (names) => [...names].sort((a, b) => Number(a === REVOKED_POLICY) - Number(b === REVOKED_POLICY)),
  );
}
