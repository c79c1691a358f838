import {
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
  ListUserPoliciesCommand,
  RemoveUserFromGroupCommand,
} from '@aws-sdk/client-iam';
import type { Calls } from './calls';
import { doAll } from './first-failure';
import { removeEach } from './remove-each';

/** What a user is to keep of what grants it rights, or denies them. */
export interface Kept {
  /** By name. */
  readonly groups: readonly string[];
  /** Managed policies, by ARN. */
  readonly policyArns: readonly string[];
  /** Inline policies, by name. */
  readonly inline: readonly string[];
}

/** Takes away what grants the user rights, but what it is to keep. */
export async function removeAttachments(calls: Calls, UserName: string, kept: Kept): Promise<void> {
  await doAll([
    () =>
      removeEach(
        async (Marker) => {
          const page = await calls.read(new ListGroupsForUserCommand({ UserName, Marker }));
          return { items: page.Groups, truncated: page.IsTruncated, marker: page.Marker };
        },
        ({ GroupName }) => calls.change(new RemoveUserFromGroupCommand({ UserName, GroupName })),
        ({ GroupName: name }) => name !== undefined && kept.groups.includes(name),
      ),
    () =>
      removeEach(
        async (Marker) => {
          const page = await calls.read(new ListAttachedUserPoliciesCommand({ UserName, Marker }));
          return { items: page.AttachedPolicies, truncated: page.IsTruncated, marker: page.Marker };
        },
        ({ PolicyArn }) => calls.change(new DetachUserPolicyCommand({ UserName, PolicyArn })),
        ({ PolicyArn: arn }) => arn !== undefined && kept.policyArns.includes(arn),
      ),
    () => removeInlinePolicies(calls, UserName, kept.inline),
  ]);
}

/** @param kept names of those that stay. */
export async function removeInlinePolicies(calls: Calls, UserName: string, kept: readonly string[]): Promise<void> {
  await removeEach(
    async (Marker) => {
      const page = await calls.read(new ListUserPoliciesCommand({ UserName, Marker }));
      return { items: page.PolicyNames, truncated: page.IsTruncated, marker: page.Marker };
    },
    (PolicyName) => calls.change(new DeleteUserPolicyCommand({ UserName, PolicyName })),
    (name) => kept.includes(name),
  );
}
