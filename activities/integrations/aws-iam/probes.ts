import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  DeactivateMFADeviceCommand,
  DeleteAccessKeyCommand,
  DeleteLoginProfileCommand,
  DeleteServiceSpecificCredentialCommand,
  DeleteSigningCertificateCommand,
  DeleteSSHPublicKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  DeleteVirtualMFADeviceCommand,
  DetachUserPolicyCommand,
  GetAccessKeyLastUsedCommand,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
  ListMFADevicesCommand,
  ListServiceSpecificCredentialsCommand,
  ListSigningCertificatesCommand,
  ListSSHPublicKeysCommand,
  ListUserPoliciesCommand,
  PutUserPolicyCommand,
  RemoveUserFromGroupCommand,
  TagUserCommand,
} from '@aws-sdk/client-iam';
import type { ServiceInputTypes, ServiceOutputTypes } from '@aws-sdk/client-iam';
import { operationOf } from '../aws/send';
import type { IamCommand, Reader } from './calls';
import type { AwsIamConnection } from './connection';
import type { Identity } from '../aws/identity';
import { DENY_EVERYTHING, REVOKED_POLICY } from './revocation';

/** One call that would need a right and changes nothing, because what it names does not exist. */
export interface Probe<T = unknown> {
  /** By AWS's name, e.g. `iam:DeleteUser`. */
  readonly right: string;
  /**
   * False where a sound policy grants the right under a condition that a user who does not exist cannot meet: a refusal
   * then says nothing.
   */
  readonly conclusive: boolean;
  readonly send: (reader: Reader) => Promise<T>;
}

/**
 * Every call about one user that leases need, but the two that cannot be tried so: GetUser, which comes first and decides
 * whether these may be sent at all, and CreateUser, which would make the user.
 * @param name a user, group, policy and MFA device that cannot exist.
 * @param id like it, of letters and digits alone.
 */
export function probesFor(
  name: string,
  id: string,
  connection: AwsIamConnection,
  { partition, account }: Identity,
): Probe[] {
  const UserName = name;
  const ofUser = { UserName };
  // Even if there were such a user, this would grant it nothing.
  const denial = { UserName, PolicyArn: `arn:${partition}:iam::aws:policy/AWSDenyAll` };
  const membership = { UserName, GroupName: name };
  return [
    probe(new TagUserCommand({ UserName, Tags: [{ Key: 'managed-by', Value: 'leasehold' }] })),
    // Granted as a rule only for users that are under the boundary, and one that does not exist is under none.
    probe(
      new PutUserPolicyCommand({ UserName, PolicyName: REVOKED_POLICY, PolicyDocument: DENY_EVERYTHING }),
      connection.permissions_boundary === undefined,
    ),
    // Granted as a rule only for certain policies, which the dynamic secrets know.
    probe(new AttachUserPolicyCommand(denial), false),
    // Granted on certain groups, which again the dynamic secrets know.
    probe(new AddUserToGroupCommand(membership), false),
    probe(new RemoveUserFromGroupCommand(membership), false),
    probe(new CreateAccessKeyCommand(ofUser)),
    probe(new ListAccessKeysCommand(ofUser)),
    probe(new DeleteAccessKeyCommand({ UserName, AccessKeyId: id })),
    // AWS may refuse it for a key that does not exist, whoever asks.
    probe(new GetAccessKeyLastUsedCommand({ AccessKeyId: id }), false),
    probe(new ListGroupsForUserCommand(ofUser)),
    probe(new ListAttachedUserPoliciesCommand(ofUser)),
    probe(new DetachUserPolicyCommand(denial)),
    probe(new ListUserPoliciesCommand(ofUser)),
    probe(new DeleteUserPolicyCommand({ UserName, PolicyName: REVOKED_POLICY })),
    probe(new DeleteLoginProfileCommand(ofUser)),
    probe(new ListServiceSpecificCredentialsCommand(ofUser)),
    probe(new DeleteServiceSpecificCredentialCommand({ UserName, ServiceSpecificCredentialId: id })),
    probe(new ListSSHPublicKeysCommand(ofUser)),
    probe(new DeleteSSHPublicKeyCommand({ UserName, SSHPublicKeyId: id })),
    probe(new ListSigningCertificatesCommand(ofUser)),
    probe(new DeleteSigningCertificateCommand({ UserName, CertificateId: id })),
    probe(new ListMFADevicesCommand(ofUser)),
    probe(new DeactivateMFADeviceCommand({ UserName, SerialNumber: id })),
    probe(new DeleteVirtualMFADeviceCommand({ SerialNumber: `arn:${partition}:iam::${account}:mfa/${name}` })),
    probe(new DeleteUserCommand(ofUser)),
  ];
}

export function probe<I extends ServiceInputTypes, O extends ServiceOutputTypes>(
  command: IamCommand<I, O>,
  conclusive = true,
): Probe {
  return { right: `iam:${operationOf(command)}`, conclusive, send: (reader) => reader.read(command) };
}
