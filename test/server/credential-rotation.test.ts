import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { REQUEST, useLab } from '../support/lab';
import type { Lab } from '../support/lab';
import { provided } from '../support/stack';

const ORCHESTRATOR = { UserName: `orchestrator-${randomUUID()}` };
const RIGHTS = { Statement: [{ Effect: 'Allow', Action: ['iam:*', 'sts:*'], Resource: '*' }], Version: '2012-10-17' };
const POLICY = { ...ORCHESTRATOR, PolicyName: 'orchestrate' };

let lab: Lab;
let admin: IAMClient;
let keyId: string;

useLab(async (opened) => {
  lab = opened;
  const { url: endpoint, region, accessKeyId, secretAccessKey } = provided().aws;
  admin = new IAMClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  await admin.send(new CreateUserCommand(ORCHESTRATOR));
  await admin.send(new PutUserPolicyCommand({ ...POLICY, PolicyDocument: JSON.stringify(RIGHTS) }));
  await mkdir(join(lab.directory, 'key'));
  await giveNewKey();
  await referToFiles();
  await lab.startWorker();
});

afterAll(async () => {
  await deleteKey(keyId);
  await admin.send(new DeleteUserPolicyCommand(POLICY));
  await admin.send(new DeleteUserCommand(ORCHESTRATOR));
  admin.destroy();
});

function fileOf(name: string): string {
  return join(lab.directory, 'key', name);
}

async function referToFiles(): Promise<void> {
  const config = JSON.parse(await readFile(lab.configFile, 'utf8')) as {
    integrations: { aws: { connection: { credentials: object } } };
  };
  config.integrations.aws.connection.credentials = {
    access_key_id: `file:${fileOf('id')}`,
    secret_access_key: `file:${fileOf('secret')}`,
  };
  await writeFile(lab.configFile, JSON.stringify(config));
}

/** Makes a key at AWS and writes it to where the configuration refers to. */
async function giveNewKey(): Promise<void> {
  const { AccessKey: key } = await admin.send(new CreateAccessKeyCommand(ORCHESTRATOR));
  keyId = key!.AccessKeyId!;
  await writeFile(fileOf('id'), keyId);
  await writeFile(fileOf('secret'), `${key!.SecretAccessKey!}\n`);
}

async function deleteKey(id: string): Promise<void> {
  await admin.send(new DeleteAccessKeyCommand({ ...ORCHESTRATOR, AccessKeyId: id }));
}

/** Issues a lease and ends it, with whatever key is in force. */
async function expectLeases(): Promise<void> {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
  expect(await lab.aws.identity(lease.credential)).toBe('ok');
  expect(await lease.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
  expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
}

test("when the orchestrator's key is replaced and the old one deleted, leases end and begin without a restart", async () => {
  await expectLeases();
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '4s' });
  const old = keyId;
  await giveNewKey();
  await deleteKey(old);
  lab.proxy.forget();
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'expired', failure: null });
  expect(await lab.aws.identity(lease.credential)).toBe('InvalidClientTokenId');
  expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
  expect(new Set(lab.proxy.calls.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set([keyId]));
  await expectLeases();
}, 60_000);

test('while the key that AWS deleted is not replaced a lease is stuck, and ends by itself once it is', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '1s' });
  await deleteKey(keyId);
  await lab.until(lease.leaseId, 'stuck');
  await expect(lab.leases.issue({ ...REQUEST, ttl: '10m' })).rejects.toMatchObject({ code: 'Refused' });
  expect(await lab.aws.usersLike(lease.leaseId)).toHaveLength(1);
  await giveNewKey();
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'expired', failure: null });
  expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
  await expectLeases();
}, 60_000);
