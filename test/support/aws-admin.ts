import {
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListUserPoliciesCommand,
  ListUsersCommand,
  NoSuchEntityException,
} from '@aws-sdk/client-iam';
import type { User } from '@aws-sdk/client-iam';
import { tryBuckets, tryIdentity } from '../../dev/aws-calls';

/** Looks at AWS past all proxies: what is really there, and what a key can really do. */
export interface AwsAdmin {
  user(name: string): Promise<User | null>;
  /** Names of the users of a lease or of a deployment. */
  usersLike(part: string): Promise<string[]>;
  keys(name: string): Promise<string[]>;
  inlinePolicies(name: string): Promise<string[]>;
  /** `ok`, or the code with which AWS refuses a call signed with this credential. */
  identity(credential: Readonly<Record<string, string>>): Promise<string>;
  buckets(credential: Readonly<Record<string, string>>): Promise<string>;
  close(): void;
}

export interface AwsAccess {
  readonly url: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export function openAwsAdmin(access: AwsAccess): AwsAdmin {
  const base = { endpoint: access.url, region: access.region, maxAttempts: 1 };
  const { accessKeyId, secretAccessKey } = access;
  const iam = new IAMClient({ ...base, credentials: { accessKeyId, secretAccessKey } });
  return {
    user: async (name) => {
      try {
        return (await iam.send(new GetUserCommand({ UserName: name }))).User!;
      } catch (error) {
        if (error instanceof NoSuchEntityException) return null;
        throw error;
      }
    },
    usersLike: async (part) => {
      const { Users: users } = await iam.send(new ListUsersCommand({}));
      return users!.map((user) => user.UserName!).filter((name) => name.includes(part));
    },
    keys: async (name) => {
      const { AccessKeyMetadata: keys } = await iam.send(new ListAccessKeysCommand({ UserName: name }));
      return keys!.map((key) => key.AccessKeyId!);
    },
    inlinePolicies: async (name) => (await iam.send(new ListUserPoliciesCommand({ UserName: name }))).PolicyNames ?? [],
    identity: (credential) => tryIdentity(access, credential),
    buckets: (credential) => tryBuckets(access, credential),
    close: () => {
      iam.destroy();
    },
  };
}
