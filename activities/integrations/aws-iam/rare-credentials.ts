import {
  DeactivateMFADeviceCommand,
  DeleteLoginProfileCommand,
  DeleteServiceSpecificCredentialCommand,
  DeleteSigningCertificateCommand,
  DeleteSSHPublicKeyCommand,
  DeleteVirtualMFADeviceCommand,
  ListMFADevicesCommand,
  ListServiceSpecificCredentialsCommand,
  ListSigningCertificatesCommand,
  ListSSHPublicKeysCommand,
} from '@aws-sdk/client-iam';
import type { Calls } from './calls';
import { hasCode } from '../aws/errors';
import type { Page } from './pages';
import { ignoreAbsence, removeEach } from './remove-each';
import { VIRTUAL_MFA } from '../aws/syntax';

/** Removes every way to sign in that Leasehold never makes, but that a holder or an admin may have added to the user. */
export async function removeRareCredentials(calls: Calls, UserName: string): Promise<void> {
  await ignoreAbsence(() => calls.change(new DeleteLoginProfileCommand({ UserName })));
  await removeOffered(
    async (Marker) => {
      const page = await calls.read(new ListServiceSpecificCredentialsCommand({ UserName, Marker }));
      return { items: page.ServiceSpecificCredentials, truncated: page.IsTruncated, marker: page.Marker };
    },
    ({ ServiceSpecificCredentialId }) =>
      calls.change(new DeleteServiceSpecificCredentialCommand({ UserName, ServiceSpecificCredentialId })),
  );
  await removeOffered(
    async (Marker) => {
      const page = await calls.read(new ListSSHPublicKeysCommand({ UserName, Marker }));
      return { items: page.SSHPublicKeys, truncated: page.IsTruncated, marker: page.Marker };
    },
    ({ SSHPublicKeyId }) => calls.change(new DeleteSSHPublicKeyCommand({ UserName, SSHPublicKeyId })),
  );
  await removeOffered(
    async (Marker) => {
      const page = await calls.read(new ListSigningCertificatesCommand({ UserName, Marker }));
      return { items: page.Certificates, truncated: page.IsTruncated, marker: page.Marker };
    },
    ({ CertificateId }) => calls.change(new DeleteSigningCertificateCommand({ UserName, CertificateId })),
  );
  await removeOffered(
    async (Marker) => {
      const page = await calls.read(new ListMFADevicesCommand({ UserName, Marker }));
      return { items: page.MFADevices, truncated: page.IsTruncated, marker: page.Marker };
    },
    async ({ SerialNumber }) => {
      await ignoreAbsence(() => calls.change(new DeactivateMFADeviceCommand({ UserName, SerialNumber })));
      if (SerialNumber === undefined || !VIRTUAL_MFA.test(SerialNumber)) return;
      await calls.change(new DeleteVirtualMFADeviceCommand({ SerialNumber }));
    },
  );
}

/** A partition that does not offer a kind of credential does not know its list: then there are none of these. */
async function removeOffered<Item>(
  fetchPage: (marker: string | undefined) => Promise<Page<Item>>,
  remove: (item: Item) => Promise<unknown>,
): Promise<void> {
  await removeEach(async (marker) => {
    try {
      return await fetchPage(marker);
    } catch (error) {
      if (hasCode(error, 'InvalidAction')) return { items: [], truncated: false, marker: undefined };
      throw error;
    }
  }, remove);
}
