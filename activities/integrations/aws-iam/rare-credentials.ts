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
import { IntegrationError } from '../integration';
import type { Calls } from './calls';
import { hasCode } from '../aws/errors';
import { doAll } from './first-failure';
import type { Page } from './pages';
import { ignoreAbsence, removeEach } from './remove-each';
import { VIRTUAL_MFA } from '../aws/syntax';

/** A device that was deactivated is nobody's: a later attempt would not find it. */
const DEVICE_TRIES = 3;
const AGAIN_AFTER_MS = 500;

/** Removes every way to sign in that Leasehold never makes, but that a holder or an admin may have added to the user. */
export async function removeRareCredentials(calls: Calls, UserName: string): Promise<void> {
  await doAll([
    () => ignoreAbsence(() => calls.change(new DeleteLoginProfileCommand({ UserName }))),
    () =>
      removeOffered(
        async (Marker) => {
          const page = await calls.read(new ListServiceSpecificCredentialsCommand({ UserName, Marker }));
          return { items: page.ServiceSpecificCredentials, truncated: page.IsTruncated, marker: page.Marker };
        },
        ({ ServiceSpecificCredentialId }) =>
          calls.change(new DeleteServiceSpecificCredentialCommand({ UserName, ServiceSpecificCredentialId })),
      ),
    () =>
      removeOffered(
        async (Marker) => {
          const page = await calls.read(new ListSSHPublicKeysCommand({ UserName, Marker }));
          return { items: page.SSHPublicKeys, truncated: page.IsTruncated, marker: page.Marker };
        },
        ({ SSHPublicKeyId }) => calls.change(new DeleteSSHPublicKeyCommand({ UserName, SSHPublicKeyId })),
      ),
    () =>
      removeOffered(
        async (Marker) => {
          const page = await calls.read(new ListSigningCertificatesCommand({ UserName, Marker }));
          return { items: page.Certificates, truncated: page.IsTruncated, marker: page.Marker };
        },
        ({ CertificateId }) => calls.change(new DeleteSigningCertificateCommand({ UserName, CertificateId })),
      ),
    () =>
      removeOffered(
        async (Marker) => {
          const page = await calls.read(new ListMFADevicesCommand({ UserName, Marker }));
          return { items: page.MFADevices, truncated: page.IsTruncated, marker: page.Marker };
        },
        ({ SerialNumber }) => removeDevice(calls, UserName, SerialNumber),
      ),
  ]);
}

async function removeDevice(calls: Calls, UserName: string, SerialNumber: string | undefined): Promise<void> {
  for (let left = DEVICE_TRIES - 1; ; left -= 1) {
    try {
      await ignoreAbsence(() => calls.change(new DeactivateMFADeviceCommand({ UserName, SerialNumber })));
      if (SerialNumber === undefined || !VIRTUAL_MFA.test(SerialNumber)) return;
      await ignoreAbsence(() => calls.change(new DeleteVirtualMFADeviceCommand({ SerialNumber })));
      return;
    } catch (error) {
      if (!(error instanceof IntegrationError) || left === 0) throw error;
      await calls.pause(AGAIN_AFTER_MS);
    }
  }
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
