import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AwsEmulator } from './aws-emulator';
import { startProcess } from './process';
import type { RunningProcess } from './process';
import type { TemporalServer } from './temporal-server';

/** What is leased on a developer's machine. */
export const DEVELOPMENT = { project: 'demo', config: 'dev', dynamicSecret: 'S3_READER' } as const;

const KEY_ID = 'LEASEHOLD_DEV_AWS_ACCESS_KEY_ID';
const KEY = 'LEASEHOLD_DEV_AWS_SECRET_ACCESS_KEY';

/** Writes the configuration that leases from the emulator. No secret is in it. Answers its path. */
export async function writeDevelopmentConfig(directory: string, aws: AwsEmulator): Promise<string> {
  const file = join(directory, 'leasehold.dev.yaml');
  await writeFile(file, configText(aws));
  return file;
}

export interface WorkerOptions {
  readonly temporal: Pick<TemporalServer, 'address' | 'namespace'>;
  readonly aws: AwsEmulator;
  readonly configFile: string;
  readonly logDirectory: string;
}

/** Starts the worker as it runs in production, in a process of its own, and waits until it is ready. */
export async function startWorker({ temporal, aws, configFile, logDirectory }: WorkerOptions): Promise<RunningProcess> {
  const logFile = join(logDirectory, `worker-${Date.now()}.log`);
  return startProcess({
    command: process.execPath,
    args: [join(__dirname, '..', 'worker', 'main.js'), '--config', configFile],
    environment: {
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      [KEY_ID]: aws.accessKeyId,
      [KEY]: aws.secretAccessKey,
    },
    logFile,
    ready: async () => (await readFile(logFile, 'utf8')).includes('The worker is ready.'),
  });
}

function configText(aws: AwsEmulator): string {
  const { project, config, dynamicSecret } = DEVELOPMENT;
  return `# Written by the development stack at each start.
version: 1
integrations:
  aws-emulator:
    type: aws_iam
    connection:
      region: ${aws.region}
      endpoint: ${aws.url}
      # On AWS set permissions_boundary; the emulator knows none.
      credentials:
        access_key_id: env:${KEY_ID}
        secret_access_key: env:${KEY}
    limits:
      calls_per_second: 50
    timings:
      # The emulator knows at once what it was told; AWS needs its default of 5 minutes.
      consistency_window: 2s
projects:
  ${project}:
    configs:
      ${config}:
        dynamic_secrets:
          ${dynamicSecret}:
            integration: aws-emulator
            min_ttl: 5s
            parameters:
              policy:
                Version: "2012-10-17"
                Statement:
                  - Effect: Allow
                    Action: s3:ListAllMyBuckets
                    Resource: "*"
`;
}
