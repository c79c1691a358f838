import { randomUUID } from 'node:crypto';
import {
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  IAMClient,
  ListAccessKeysCommand,
  RemoveUserFromGroupCommand,
} from '@aws-sdk/client-iam';
import type { Tag } from '@aws-sdk/client-iam';
import { describeConformance } from '../integrations/conformance';
import type { Bench, BenchOptions, SeenCall } from '../integrations/subject';
import type { AwsCall } from '../support/aws-proxy';
import { kindFaults } from '../support/kind-faults';
import { openLab, REQUEST } from '../support/lab';
import { provided } from '../support/stack';

const POLICY_ARN = 'arn:aws:iam::aws:policy/ReadOnlyAccess';

/** The lab's own policy, and nothing beside it. */
const POLICY = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' }],
};

const FAULTS = kindFaults({
  refused: { status: 403, code: 'AccessDenied' },
  'quota exceeded': { status: 409, code: 'LimitExceeded' },
  'called invalid': { status: 400, code: 'ValidationError' },
});

describeConformance({ name: 'AWS IAM', open: openBench });

/** A user of a lease here has all that grants rights: an inline policy, a managed one and a group. */
async function openBench({ timings, slots, echo }: BenchOptions): Promise<Bench> {
  const { aws } = provided();
  const group = `conformance-${randomUUID()}`;
  const lab = await openLab({
    echo,
    timings,
    limits: { calls_per_second: 1_000, provisions: slots, deprovisions: slots },
    parameters: { policy_arns: [POLICY_ARN], groups: [group] },
  });
  // Through the proxy, which must know what is removed by hand.
  const admin = new IAMClient({
    endpoint: lab.proxy.url,
    region: aws.region,
    maxAttempts: 1,
    credentials: { accessKeyId: aws.accessKeyId, secretAccessKey: aws.secretAccessKey },
  });
  await admin.send(new CreateGroupCommand({ GroupName: group }));
  const aliens = new Set<string>();
  const usersOf = async (leaseId: string): Promise<string[]> =>
    (await lab.aws.usersLike(leaseId)).filter((name) => !aliens.has(name));
  const keysOf = async (leaseId: string): Promise<string[]> => {
    const users = await usersOf(leaseId);
    return (await Promise.all(users.map((user) => lab.aws.keys(user)))).flat();
  };
  const makeKey = async (UserName: string, Tags: Tag[]): Promise<void> => {
    const isThere = (await lab.aws.user(UserName)) !== null;
    if (!isThere) await admin.send(new CreateUserCommand({ UserName, Path: '/leasehold/', Tags }));
    await admin.send(new CreateAccessKeyCommand({ UserName }));
  };
  const deleteKeys = async (UserName: string): Promise<void> => {
    const { AccessKeyMetadata: keys } = await admin.send(new ListAccessKeysCommand({ UserName }));
    for (const { AccessKeyId } of keys!) await admin.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
  };
  const removeCredential = async (leaseId: string): Promise<void> => {
    const [UserName] = await usersOf(leaseId);
    await deleteKeys(UserName!);
  };
  return {
    lab,
    request: { project: REQUEST.project, config: REQUEST.config, dynamicSecret: REQUEST.dynamicSecret },
    integration: 'aws',
    secrets: [aws.secretAccessKey],
    calls: (leaseId) => lab.proxy.calls.filter(({ entity }) => entity?.includes(leaseId)).map(describeCall),
    fail: (leaseId, { operation, kind, nth = 1, times = 1 }) => {
      lab.proxy.fault({ ...FAULTS[kind], operation, nth, times, entity: leaseId });
    },
    recover: (leaseId) => {
      lab.proxy.clearFaults(leaseId);
    },
    setAway: (away) => {
      lab.proxy.setAway(away);
    },
    onDone: (hook) => {
      lab.proxy.setOnCall(async (_, phase, call) => {
        // Of an answer that has begun the client does not give up waiting, however long its process is stopped.
        if (phase === 'body') await hook((leaseId) => call.entity?.includes(leaseId) === true, describeCall(call));
      });
    },
    otherParameters: { policy: POLICY, usable_timeout: '5s' },
    expiry: async (leaseId) => {
      const [name] = await usersOf(leaseId);
      const user = name === undefined ? null : await lab.aws.user(name);
      const tag = user?.Tags?.find(({ Key }) => Key === 'leasehold:expires-at');
      return tag?.Value === undefined ? null : new Date(tag.Value);
    },
    entities: usersOf,
    credentials: async (leaseId) => (await keysOf(leaseId)).length,
    works: async (credential) => (await lab.aws.buckets(credential)) === 'ok',
    secretsOf: (credential) => [credential['SECRET_ACCESS_KEY']!],
    makeLate: (name, { deployment, leaseId }) =>
      makeKey(name, [
        { Key: 'leasehold:deployment', Value: deployment },
        { Key: 'leasehold:lease', Value: leaseId },
      ]),
    makeAlien: async (name) => {
      await makeKey(name, [{ Key: 'owner', Value: 'somebody else' }]);
      aliens.add(name);
      return {
        isWhole: async () => {
          const user = await lab.aws.user(name);
          return user?.Tags?.length === 1 && (await lab.aws.keys(name)).length === 1;
        },
        remove: async () => {
          await deleteKeys(name);
          await admin.send(new DeleteUserCommand({ UserName: name }));
          aliens.delete(name);
        },
      };
    },
    removeCredential,
    removeEntity: async (leaseId) => {
      await removeCredential(leaseId);
      const [UserName] = await usersOf(leaseId);
      await admin.send(new RemoveUserFromGroupCommand({ UserName, GroupName: group }));
      await admin.send(new DetachUserPolicyCommand({ UserName, PolicyArn: POLICY_ARN }));
      await admin.send(new DeleteUserPolicyCommand({ UserName, PolicyName: 'leasehold' }));
      await admin.send(new DeleteUserCommand({ UserName }));
    },
    close: async () => {
      admin.destroy();
      await lab.close();
    },
  };
}

function describeCall({ operation, parameters, fault }: AwsCall): SeenCall {
  const changes = !/^(Get|List)/.test(operation);
  return {
    operation,
    effect: operation === 'CreateAccessKey' ? 'credential' : changes ? 'change' : 'none',
    faulty: fault !== null,
    sent: [...parameters.values()].join('\n'),
  };
}
