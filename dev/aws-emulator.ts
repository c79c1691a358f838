import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { tryIdentity } from './aws-calls';
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

/** The orchestrator's own user, who may do everything with IAM and STS. */
interface Orchestrator {
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const REGION = 'us-east-1';
const ORCHESTRATOR = 'leasehold-orchestrator';
const RIGHTS = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['iam:*', 'sts:*'], Resource: '*' }],
});

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
    const { User: made } = await iam.send(new CreateUserCommand(user));
    await iam.send(new PutUserPolicyCommand({ ...user, PolicyName: 'orchestrate', PolicyDocument: RIGHTS }));
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand(user));
    if (key?.AccessKeyId === undefined || key.SecretAccessKey === undefined || made?.Arn === undefined) {
      throw new StartError('The AWS emulator did not make the orchestrator’s user or key.');
    }
    return {
      accountId: made.Arn.split(':')[4] ?? '',
      accessKeyId: key.AccessKeyId,
      secretAccessKey: key.SecretAccessKey,
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
  const call = (secret: string) =>
    tryIdentity({ url, region: REGION }, { ACCESS_KEY_ID: accessKeyId, SECRET_ACCESS_KEY: secret });
  const right = await call(secretAccessKey);
  const wrong = await call('not-the-secret');
  if (right === 'ok' && wrong === 'SignatureDoesNotMatch') return;
  throw new StartError(
    `The AWS emulator does not check signatures as it must: it answered ${right} to the right key and ${wrong} to a wrong one.`,
  );
}
