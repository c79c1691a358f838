import { generateKeyPairSync } from 'node:crypto';
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateLoginProfileCommand,
  CreatePolicyCommand,
  CreateServiceSpecificCredentialCommand,
  CreateVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
  PutUserPolicyCommand,
  UploadSigningCertificateCommand,
  UploadSSHPublicKeyCommand,
} from '@aws-sdk/client-iam';
import type { IAMClient } from '@aws-sdk/client-iam';
import { CERTIFICATE } from './certificate';

export const SMALL_POLICY = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}';

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const CODES = { AuthenticationCode1: '123456', AuthenticationCode2: '654321' };

export type Addition = (UserName: string) => Promise<unknown>;

/**
 * What a holder or an admin can add to a user, by what tests call it.
 * @param suffix of names that are the whole account's.
 */
export function additionsBy(admin: () => IAMClient, suffix: string): Readonly<Record<string, Addition>> {
  return {
    'a login profile': (UserName) =>
      admin().send(new CreateLoginProfileCommand({ UserName, Password: 'S0me-passw0rd' })),
    'a virtual MFA device': async (UserName) => {
      const made = await admin().send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: UserName }));
      const { SerialNumber } = made.VirtualMFADevice!;
      await admin().send(new EnableMFADeviceCommand({ UserName, SerialNumber, ...CODES }));
    },
    'a hardware MFA device': (UserName) =>
      admin().send(new EnableMFADeviceCommand({ UserName, SerialNumber: 'GAHT12345678', ...CODES })),
    'an SSH key': (UserName) =>
      admin().send(
        new UploadSSHPublicKeyCommand({
          UserName,
          SSHPublicKeyBody: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
        }),
      ),
    'a signing certificate': (UserName) =>
      admin().send(new UploadSigningCertificateCommand({ UserName, CertificateBody: CERTIFICATE })),
    'service-specific credentials': async (UserName) => {
      for (const ServiceName of ['codecommit.amazonaws.com', 'cassandra.amazonaws.com']) {
        await admin().send(new CreateServiceSpecificCredentialCommand({ UserName, ServiceName }));
      }
    },
    'a second key': (UserName) => admin().send(new CreateAccessKeyCommand({ UserName })),
    'many groups': async (UserName) => {
      for (let number = 1; number <= 10; number += 1) {
        const GroupName = `group-${number}-${suffix}`;
        await admin()
          .send(new CreateGroupCommand({ GroupName }))
          .catch(() => undefined);
        await admin().send(new AddUserToGroupCommand({ UserName, GroupName }));
      }
    },
    'many managed policies': async (UserName) => {
      for (let number = 1; number <= 10; number += 1) {
        const PolicyName = `policy-${number}-${suffix}`;
        await admin()
          .send(new CreatePolicyCommand({ PolicyName, PolicyDocument: SMALL_POLICY }))
          .catch(() => undefined);
        const PolicyArn = `arn:aws:iam::123456789012:policy/${PolicyName}`;
        await admin().send(new AttachUserPolicyCommand({ UserName, PolicyArn }));
      }
    },
    'many inline policies': async (UserName) => {
      for (let number = 1; number <= 10; number += 1) {
        const policy = { PolicyName: `p-${number}`, PolicyDocument: SMALL_POLICY };
        await admin().send(new PutUserPolicyCommand({ UserName, ...policy }));
      }
    },
  };
}
