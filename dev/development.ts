import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeToken } from '../api/identity/token';
import type { AwsEmulator } from './aws-emulator';

/** What is leased on a developer's machine: by its name a program finds `AWS_ACCESS_KEY_ID` in its environment. */
export const DEVELOPMENT = { project: 'demo', config: 'dev', dynamicSecret: 'AWS' } as const;

/** Variables in which the worker finds the orchestrator's key. */
export const ORCHESTRATOR = {
  keyId: 'LEASEHOLD_DEV_AWS_ACCESS_KEY_ID',
  key: 'LEASEHOLD_DEV_AWS_SECRET_ACCESS_KEY',
} as const;

export interface DevelopmentConfig {
  readonly file: string;
  /** For the HTTP API. Only its hash is in the file. */
  readonly token: string;
}

/** Writes the configuration that leases from the emulator, with a fresh token. No secret is in it. */
export async function writeDevelopmentConfig(directory: string, aws: AwsEmulator): Promise<DevelopmentConfig> {
  const file = join(directory, 'leasehold.dev.yaml');
  const { token, hash } = makeToken('demo');
  await writeFile(file, configText(aws, hash));
  return { file, token };
}

function configText(aws: AwsEmulator, hash: string): string {
  const { project, config, dynamicSecret } = DEVELOPMENT;
  return `# Written by the development stack at each start.
version: 1
access:
  tokens:
    demo:
      hash: ${hash}
      scopes: [${project}/${config}]
      rights: [read, lease, revoke-own, admin]
integrations:
  aws-emulator:
    type: aws_iam
    connection:
      region: ${aws.region}
      endpoint: ${aws.url}
      # On AWS set permissions_boundary; the emulator knows none.
      credentials:
        access_key_id: env:${ORCHESTRATOR.keyId}
        secret_access_key: env:${ORCHESTRATOR.key}
    limits:
      calls_per_second: 50
    timings:
      # The emulator knows at once what it was told; AWS needs its default of 5 minutes.
      consistency_window: 2s
projects:
  ${project}:
    configs:
      ${config}:
        secrets:
          # Where the emulator is; with AWS itself the first is left out.
          AWS_ENDPOINT_URL: ${aws.url}
          AWS_REGION: ${aws.region}
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
