import { GetUserCommand, IAMClient, NoSuchEntityException } from '@aws-sdk/client-iam';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { AwsEmulator } from './aws-emulator';

/** `ok`, or the code with which the provider refused. */
export type CallResult = string;

/** Two signed calls with a leased key: who am I, and the one thing that its policy allows. */
export async function tryKey(
  aws: AwsEmulator,
  credential: Readonly<Record<string, string>>,
): Promise<{ readonly identity: CallResult; readonly buckets: CallResult }> {
  const settings = {
    endpoint: aws.url,
    region: aws.region,
    maxAttempts: 1,
    credentials: {
      accessKeyId: credential['ACCESS_KEY_ID'] ?? '',
      secretAccessKey: credential['SECRET_ACCESS_KEY'] ?? '',
    },
  };
  const sts = new STSClient(settings);
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  try {
    return {
      identity: await resultOf(() => sts.send(new GetCallerIdentityCommand({}))),
      buckets: await resultOf(() => s3.send(new ListBucketsCommand({}))),
    };
  } finally {
    sts.destroy();
    s3.destroy();
  }
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

async function resultOf(call: () => Promise<unknown>): Promise<CallResult> {
  try {
    await call();
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown';
  }
}
