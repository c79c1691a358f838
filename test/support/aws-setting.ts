import { GetUserCommand, IAMClient, ListAccessKeysCommand, NoSuchEntityException } from '@aws-sdk/client-iam';
import type { User } from '@aws-sdk/client-iam';
import { tryBuckets, tryIdentity } from '../../dev/aws-calls';
import type { Made } from '../../activities/integrations/integration';
import { openAws } from './aws-lease';
import type { AwsFixture } from './aws-lease';
import { startAwsProxy } from './aws-proxy';
import type { AwsProxy, AwsProxyOptions } from './aws-proxy';
import { provided } from './stack';

/** The tests' emulator behind a strict proxy, an admin to look and meddle with, and the integration under test. */
export interface AwsSetting {
  readonly proxy: AwsProxy;
  readonly admin: IAMClient;
  readonly aws: AwsFixture;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The integration once more, with other settings; closed with the rest. */
  open(settings: object, secrets?: Readonly<Record<string, string>>): AwsFixture;
  findUser(name: string): Promise<User | undefined>;
  keysOf(name: string): Promise<string[]>;
  /** AWS's code, or `ok`, for one call with the leased key. */
  tryIdentity(made: Made): Promise<string>;
  tryBuckets(made: Made): Promise<string>;
  close(): Promise<void>;
}

export const REGION = 'us-east-1';

const RETRIES = { maxAttempts: 1 };

export async function openAwsSetting(options: Omit<AwsProxyOptions, 'target'> = {}): Promise<AwsSetting> {
  const { aws: emulator } = provided();
  const { accessKeyId, secretAccessKey } = emulator;
  const proxy = await startAwsProxy({ ...options, target: emulator.url });
  const place = { url: proxy.url, region: REGION };
  const base = { endpoint: proxy.url, region: REGION };
  const credentials = { access_key_id: 'env:KEY_ID', secret_access_key: 'env:KEY' };
  const secrets = { 'env:KEY_ID': accessKeyId, 'env:KEY': secretAccessKey };
  const admin = new IAMClient({ ...base, ...RETRIES, credentials: { accessKeyId, secretAccessKey } });
  const opened: AwsFixture[] = [];
  const open = (settings: object, own: Readonly<Record<string, string>> = secrets) => {
    const fixture = openAws({ ...base, credentials, ...settings }, own);
    opened.push(fixture);
    return fixture;
  };
  return {
    proxy,
    admin,
    accessKeyId,
    secretAccessKey,
    open,
    aws: open({}),
    findUser: async (name) => {
      try {
        return (await admin.send(new GetUserCommand({ UserName: name }))).User;
      } catch (error) {
        if (error instanceof NoSuchEntityException) return undefined;
        throw error;
      }
    },
    keysOf: async (name) => {
      const keys: string[] = [];
      for (let marker: string | undefined, more = true; more;) {
        const page = await admin.send(new ListAccessKeysCommand({ UserName: name, Marker: marker }));
        keys.push(...page.AccessKeyMetadata!.map(({ AccessKeyId: id }) => id!));
        marker = page.Marker;
        more = page.IsTruncated === true;
      }
      return keys;
    },
    tryIdentity: ({ credential }) => tryIdentity(place, credential),
    tryBuckets: ({ credential }) => tryBuckets(place, credential),
    close: async () => {
      for (const fixture of opened) fixture.close();
      admin.destroy();
      await proxy.close();
    },
  };
}
