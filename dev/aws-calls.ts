import { GetUserCommand, IAMClient, NoSuchEntityException } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { AwsEmulator } from './aws-emulator';

/** `ok`, or the code with which the provider refused. */
export type CallResult = string;

/** Where an AWS is spoken to. */
export interface AwsPlace {
  readonly url: string;
  readonly region: string;
}

/** A leased credential, by its names. */
type Credential = Readonly<Record<string, string>>;

/** Who am I: a signed call that needs no right. */
export function tryIdentity(place: AwsPlace, credential: Credential): Promise<CallResult> {
  return tryCall(new STSClient(settingsOf(place, credential)), (sts) => sts.send(new GetCallerIdentityCommand({})));
}

/** List the buckets: a signed call that needs a right. */
export async function tryBuckets(place: AwsPlace, credential: Credential): Promise<CallResult> {
  // Of the tests and the demonstration: the stack itself starts without it.
  const { ListBucketsCommand, S3Client } = await import('@aws-sdk/client-s3');
  const s3 = new S3Client({ ...settingsOf(place, credential), forcePathStyle: true });
  return tryCall(s3, (client) => client.send(new ListBucketsCommand({})));
}

/** Makes one call with a client that is closed afterwards. */
export async function tryCall<C extends { destroy(): void }>(
  client: C,
  call: (client: C) => Promise<unknown>,
): Promise<CallResult> {
  try {
    await call(client);
    return 'ok';
  } catch (error) {
    return (error as Error).name;
  } finally {
    client.destroy();
  }
}

function settingsOf({ url, region }: AwsPlace, credential: Credential) {
  const {
    ACCESS_KEY_ID: accessKeyId = '',
    SECRET_ACCESS_KEY: secretAccessKey = '',
    SESSION_TOKEN: sessionToken,
  } = credential;
  const session = sessionToken === undefined ? {} : { sessionToken };
  return { endpoint: url, region, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey, ...session } };
}

/** Whether the user exists, asked with the orchestrator's own key. */
export async function userExists(aws: AwsEmulator, name: string): Promise<boolean> {
  const { accessKeyId, secretAccessKey } = aws;
  const iam = new IAMClient({
    endpoint: aws.url,
    region: aws.region,
    credentials: { accessKeyId, secretAccessKey },
  });
  try {
    await iam.send(new GetUserCommand({ UserName: name }));
    return true;
  } catch (error) {
    if (error instanceof NoSuchEntityException) return false;
    throw error;
  } finally {
    iam.destroy();
  }
}
