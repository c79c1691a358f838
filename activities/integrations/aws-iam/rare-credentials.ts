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
import { ignoreAbsence, removeEach } from './remove-each';
import { VIRTUAL_MFA } from './syntax';

/** Removes every way to sign in that Leasehold never makes, but that a holder or an admin may have added to the user. */
export async function removeRareCredentials(calls: Calls, UserName: string): Promise<void> {
  await ignoreAbsence(() => calls.change(new DeleteLoginProfileCommand({ UserName })));
  await removeEach(
    async (Marker) => {
      const page = await calls.read(new ListServiceSpecificCredentialsCommand({ UserName, Marker }));
      return { items: page.ServiceSpecificCredentials, truncated: page.IsTruncated, marker: page.Marker };
    },
    ({ ServiceSpecificCredentialId }) =>
      calls.change(new DeleteServiceSpecificCredentialCommand({ UserName, ServiceSpecificCredentialId })),
  );
  await removeEach(
    async (Marker) => {
      const page = await calls.read(new ListSSHPublicKeysCommand({ UserName, Marker }));
      return { items: page.SSHPublicKeys, truncated: page.IsTruncated, marker: page.Marker };
    },
    ({ SSHPublicKeyId }) => calls.change(new DeleteSSHPublicKeyCommand({ UserName, SSHPublicKeyId })),
  );
  await removeEach(
    async (Marker) => {
      const page = await calls.read(new ListSigningCertificatesCommand({ UserName, Marker }));
      return { items: page.Certificates, truncated: page.IsTruncated, marker: page.Marker };
    },
    ({ CertificateId }) => calls.change(new DeleteSigningCertificateCommand({ UserName, CertificateId })),
  );
  await removeEach(
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
