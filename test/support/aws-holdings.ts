import {
  GetLoginProfileCommand,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
  ListMFADevicesCommand,
  ListServiceSpecificCredentialsCommand,
  ListSigningCertificatesCommand,
  ListSSHPublicKeysCommand,
  ListUserPoliciesCommand,
  NoSuchEntityException,
} from '@aws-sdk/client-iam';
import type { IAMClient } from '@aws-sdk/client-iam';

/** What AWS really holds of a user. */
export interface Holdings {
  readonly keys: readonly string[];
  readonly groups: readonly string[];
  readonly managed: readonly string[];
  readonly inline: readonly string[];
  readonly passwords: number;
  readonly sshKeys: number;
  readonly certificates: number;
  readonly serviceCredentials: number;
  readonly devices: number;
}

/** Of a user to whom nothing is attached. */
export const NOTHING: Holdings = {
  keys: [],
  groups: [],
  managed: [],
  inline: [],
  passwords: 0,
  sshKeys: 0,
  certificates: 0,
  serviceCredentials: 0,
  devices: 0,
};

export async function holdingsOf(admin: IAMClient, UserName: string): Promise<Holdings> {
  const of = { UserName };
  const keys = await whole(async (Marker) => admin.send(new ListAccessKeysCommand({ ...of, Marker })));
  const groups = await whole(async (Marker) => admin.send(new ListGroupsForUserCommand({ ...of, Marker })));
  const managed = await whole(async (Marker) => admin.send(new ListAttachedUserPoliciesCommand({ ...of, Marker })));
  const inline = await whole(async (Marker) => admin.send(new ListUserPoliciesCommand({ ...of, Marker })));
  const sshKeys = await admin.send(new ListSSHPublicKeysCommand(of));
  const certificates = await admin.send(new ListSigningCertificatesCommand(of));
  const services = await admin.send(new ListServiceSpecificCredentialsCommand(of));
  const devices = await admin.send(new ListMFADevicesCommand(of));
  return {
    keys: keys.flatMap((page) => page.AccessKeyMetadata!.map(({ AccessKeyId: id }) => id!)),
    groups: groups.flatMap((page) => page.Groups!.map(({ GroupName: name }) => name!)),
    managed: managed.flatMap((page) => page.AttachedPolicies!.map(({ PolicyArn: arn }) => arn!)),
    inline: inline.flatMap((page) => page.PolicyNames!).sort(),
    passwords: await countPasswords(admin, UserName),
    sshKeys: sshKeys.SSHPublicKeys!.length,
    certificates: certificates.Certificates!.length,
    serviceCredentials: services.ServiceSpecificCredentials!.length,
    devices: devices.MFADevices!.length,
  };
}

async function whole<Page extends { readonly IsTruncated?: boolean | undefined; readonly Marker?: string | undefined }>(
  fetchPage: (marker: string | undefined) => Promise<Page>,
): Promise<Page[]> {
  const pages: Page[] = [];
  let marker: string | undefined;
  do {
    const page = await fetchPage(marker);
    pages.push(page);
    marker = page.IsTruncated === true ? page.Marker : undefined;
  } while (marker !== undefined);
  return pages;
}

async function countPasswords(admin: IAMClient, UserName: string): Promise<number> {
  try {
    await admin.send(new GetLoginProfileCommand({ UserName }));
    return 1;
  } catch (error) {
    if (error instanceof NoSuchEntityException) return 0;
    throw error;
  }
}
