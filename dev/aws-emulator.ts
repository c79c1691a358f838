import {
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { onFreePorts } from './ports';
import { startProcess, StartError } from './process';
import type { RunningProcess } from './process';

export interface AwsEmulatorOptions {
  /** `moto_server` */
  readonly binary: string;
  /** Taken if free; else another. */
  readonly port?: number;
  readonly logFile: string;
}

/** An AWS in memory that checks signatures and rights. It forgets everything when it stops. */
export interface AwsEmulator extends RunningProcess, Orchestrator {
  readonly url: string;
  readonly region: string;
}

/** The orchestrator's own user, who may do everything with IAM and STS, and what it needs to lease. */
interface Orchestrator {
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** ARN of a policy that denies a leased user what would outlive the lease. */
  readonly permissionsBoundary: string;
}

const REGION = 'us-east-1';
const ORCHESTRATOR = 'leasehold-orchestrator';
const RIGHTS = policyOf({ Effect: 'Allow', Action: ['iam:*', 'sts:*'] });
const BOUNDARY = policyOf(
  { Effect: 'Allow', Action: '*' },
  { Effect: 'Deny', Action: ['iam:*', 'sts:AssumeRole*', 'sts:GetFederationToken', 'sts:GetSessionToken'] },
);

/**
 * Starts the emulator, makes the orchestrator's user while nothing is checked yet, then turns the checks on and proves that
 * they are: an emulator that takes any signature would let every claim about a refused key hold.
 * @throws StartError
 */
export function startAwsEmulator(options: AwsEmulatorOptions): Promise<AwsEmulator> {
  return onFreePorts({ port: options.port }, ({ port }) => startOn(port, options));
}

async function startOn(port: number, { binary, logFile }: AwsEmulatorOptions): Promise<AwsEmulator> {
  const url = `http://127.0.0.1:${port}`;
  const emulator = await startProcess({
    command: binary,
    args: ['-H', '127.0.0.1', '-p', String(port)],
    environment: { MOTO_IAM_LOAD_MANAGED_POLICIES: 'true' },
    logFile,
    ready: async () => (await fetch(`${url}/moto-api/data.json`)).ok,
  });
  try {
    const orchestrator = await makeOrchestrator(url);
    await turnChecksOn(url);
    await proveChecks(url, orchestrator);
    return { ...emulator, ...orchestrator, url, region: REGION };
  } catch (error) {
    await emulator.kill();
    throw error;
  }
}

async function makeOrchestrator(url: string): Promise<Orchestrator> {
  const nobody = { accessKeyId: 'nobody', secretAccessKey: 'nothing' };
  const iam = new IAMClient({ endpoint: url, region: REGION, credentials: nobody });
  const user = { UserName: ORCHESTRATOR };
  try {
    await iam.send(new CreateUserCommand(user));
    await iam.send(new PutUserPolicyCommand({ ...user, PolicyName: 'orchestrate', PolicyDocument: RIGHTS }));
    const { Policy: boundary } = await iam.send(
      new CreatePolicyCommand({ PolicyName: 'leasehold-boundary', PolicyDocument: BOUNDARY }),
    );
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand(user));
    if (key?.AccessKeyId === undefined || key.SecretAccessKey === undefined || boundary?.Arn === undefined) {
      throw new StartError('The AWS emulator did not make the orchestrator’s user, key or permissions boundary.');
    }
    return {
      accountId: boundary.Arn.split(':')[4] ?? '',
      accessKeyId: key.AccessKeyId,
      secretAccessKey: key.SecretAccessKey,
      permissionsBoundary: boundary.Arn,
    };
  } finally {
    iam.destroy();
  }
}

/** The count of calls that are still let through unchecked becomes zero. */
async function turnChecksOn(url: string): Promise<void> {
  const headers = { 'content-type': 'text/plain' };
  const answer = await fetch(`${url}/moto-api/reset-auth`, { method: 'POST', body: '0', headers });
  if (!answer.ok) throw new StartError(`The AWS emulator does not turn its checks on: HTTP ${answer.status}.`);
}

async function proveChecks(url: string, { accessKeyId, secretAccessKey }: Orchestrator): Promise<void> {
  const right = await callWith(url, accessKeyId, secretAccessKey);
  const wrong = await callWith(url, accessKeyId, 'not-the-secret');
  if (right === 'ok' && wrong === 'SignatureDoesNotMatch') return;
  throw new StartError(
    `The AWS emulator does not check signatures as it must: it answered ${right} to the right key and ${wrong} to a wrong one.`,
  );
}

async function callWith(url: string, accessKeyId: string, secretAccessKey: string): Promise<string> {
  const credentials = { accessKeyId, secretAccessKey };
  const sts = new STSClient({ endpoint: url, region: REGION, maxAttempts: 1, credentials });
  try {
    await sts.send(new GetCallerIdentityCommand({}));
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.name : 'an unknown error';
  } finally {
    sts.destroy();
  }
}

function policyOf(...statements: readonly { readonly Effect: string; readonly Action: string | readonly string[] }[]) {
  const Statement = statements.map((statement) => ({ ...statement, Resource: '*' }));
  return JSON.stringify({ Version: '2012-10-17', Statement });
}
