import { randomUUID } from 'node:crypto';
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteGroupCommand,
  DeleteUserCommand,
  DetachUserPolicyCommand,
  GetAccountSummaryCommand,
  GetUserCommand,
  ListAccessKeysCommand,
  ListPoliciesCommand,
  ListUsersCommand,
  PutUserPolicyCommand,
  RemoveUserFromGroupCommand,
} from '@aws-sdk/client-iam';
import { openAwsSetting } from '../support/aws-setting';
import type { AwsSetting } from '../support/aws-setting';

let setting: AwsSetting;

beforeAll(async () => {
  setting = await openAwsSetting();
});

afterAll(async () => {
  await setting.close();
});

afterEach(() => {
  setting.proxy.setAccount(undefined);
  setting.proxy.setPathScope(undefined);
});

/** Makes users in a path of their own, since the emulator is shared, and deletes them afterwards. */
async function withUsers(count: number, run: (path: string, names: readonly string[]) => Promise<void>): Promise<void> {
  const mark = randomUUID();
  const path = `/proxy/${mark}/`;
  const names = Array.from({ length: count }, (_, index) => `${mark}-${index}`);
  for (const UserName of names) await setting.admin.send(new CreateUserCommand({ UserName, Path: path }));
  try {
    await run(path, names);
  } finally {
    for (const UserName of names) await setting.admin.send(new DeleteUserCommand({ UserName })).catch(() => undefined);
  }
}

async function listPage(path: string, marker?: string) {
  const page = await setting.admin.send(new ListUsersCommand({ PathPrefix: path, Marker: marker }));
  return { names: page.Users!.map(({ UserName: name }) => name!), marker: page.Marker, more: page.IsTruncated };
}

async function summary() {
  const { SummaryMap: map } = await setting.admin.send(new GetAccountSummaryCommand({}));
  return { users: map!.Users, quota: map!.UsersQuota };
}

describe('the list of users', () => {
  test('comes in pages, of one path only', async () => {
    await withUsers(5, async (path, names) => {
      const first = await listPage(path);
      const second = await listPage(path, first.marker);
      const third = await listPage(path, second.marker);
      expect([first, second, third].map(({ names: { length } }) => length)).toEqual([2, 2, 1]);
      expect([first.more, second.more, third.more]).toEqual([true, true, false]);
      expect(third.marker).toBeUndefined();
      expect([...first.names, ...second.names, ...third.names].sort()).toEqual(names);
    });
  });

  test('misses none when users of an earlier page are deleted before the next is asked for', async () => {
    await withUsers(4, async (path, names) => {
      const first = await listPage(path);
      for (const UserName of first.names) await setting.admin.send(new DeleteUserCommand({ UserName }));
      const second = await listPage(path, first.marker);
      expect([...first.names, ...second.names].sort()).toEqual(names);
    });
  });
});

describe('the account', () => {
  test('says how many users it holds and may hold', async () => {
    expect((await summary()).quota).toBe(5_000);
    setting.proxy.setAccount({ users: 40, usersQuota: 50 });
    expect(await summary()).toEqual({ users: 40, quota: 50 });
    await withUsers(2, async () => {
      expect(await summary()).toEqual({ users: 42, quota: 50 });
    });
    expect(await summary()).toEqual({ users: 40, quota: 50 });
  });

  test('that is full takes no more users, not even of many asked for at once', async () => {
    setting.proxy.setAccount({ users: 7, usersQuota: 10 });
    const names = Array.from({ length: 8 }, () => randomUUID());
    const asked = await Promise.allSettled(
      names.map((UserName) => setting.admin.send(new CreateUserCommand({ UserName }))),
    );
    const refused = asked.filter((each) => each.status === 'rejected');
    expect(refused.map(({ reason }: { reason: Error }) => reason.name)).toEqual(
      Array.from({ length: 5 }, () => 'LimitExceededException'),
    );
    expect(await summary()).toEqual({ users: 10, quota: 10 });
    for (const [index, UserName] of names.entries()) {
      if (asked[index]!.status === 'fulfilled') await setting.admin.send(new DeleteUserCommand({ UserName }));
    }
    expect(await summary()).toEqual({ users: 7, quota: 10 });
  });
});

/** AWS's code, or `ok`. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'ok',
    (error: unknown) => (error as Error).name,
  );
}

describe('a user', () => {
  test('has one name, however it is spelt', async () => {
    await withUsers(1, async (_, [name]) => {
      const again = new CreateUserCommand({ UserName: name!.toUpperCase() });
      expect(await codeOf(setting.admin.send(again))).toBe('EntityAlreadyExistsException');
    });
  });

  test.each(['', 'a b', 'a/b', 'a\nb', 'é', 'x'.repeat(65)])('cannot be named %j', async (name) => {
    expect(await codeOf(setting.admin.send(new CreateUserCommand({ UserName: name })))).toBe('ValidationError');
  });

  test('has at most two keys', async () => {
    await withUsers(1, async (_, [UserName]) => {
      const made = await Promise.all([1, 2].map(() => setting.admin.send(new CreateAccessKeyCommand({ UserName }))));
      expect(await codeOf(setting.admin.send(new CreateAccessKeyCommand({ UserName })))).toBe('LimitExceededException');
      for (const { AccessKey: key } of made) {
        await setting.admin.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: key!.AccessKeyId }));
      }
    });
  });

  test('is in at most ten groups, where it may be put again', async () => {
    await withUsers(1, async (_, [UserName]) => {
      const groups = Array.from({ length: 11 }, (_each, index) => ({ GroupName: `${UserName!}-${index}` }));
      for (const group of groups) await setting.admin.send(new CreateGroupCommand(group));
      const join = (group: { GroupName: string }) =>
        codeOf(setting.admin.send(new AddUserToGroupCommand({ UserName, ...group })));
      for (const group of groups.slice(0, 10)) expect(await join(group)).toBe('ok');
      expect(await join(groups[10]!)).toBe('LimitExceededException');
      expect(await join(groups[0]!)).toBe('ok');
      await setting.admin.send(new RemoveUserFromGroupCommand({ UserName, ...groups[0]! }));
      expect(await join(groups[10]!)).toBe('ok');
      for (const group of groups.slice(1)) {
        await setting.admin.send(new RemoveUserFromGroupCommand({ UserName, ...group }));
      }
      for (const group of groups) await setting.admin.send(new DeleteGroupCommand(group));
    });
  });

  test('has at most ten managed policies', async () => {
    const { Policies: policies } = await setting.admin.send(new ListPoliciesCommand({ Scope: 'AWS', MaxItems: 11 }));
    await withUsers(1, async (_, [UserName]) => {
      const arns = policies!.slice(0, 11).map(({ Arn: PolicyArn }) => ({ UserName, PolicyArn }));
      const attached: string[] = [];
      for (const each of arns) attached.push(await codeOf(setting.admin.send(new AttachUserPolicyCommand(each))));
      expect(attached).toEqual([...Array.from({ length: 10 }, () => 'ok'), 'LimitExceededException']);
      for (const each of arns.slice(0, 10)) await setting.admin.send(new DetachUserPolicyCommand(each));
      expect(await codeOf(setting.admin.send(new DeleteUserCommand({ UserName })))).toBe('ok');
    });
  });

  test.each(['', 'a b', 'a/b', 'x'.repeat(129)])('has no inline policy named %j', async (name) => {
    const document = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
    });
    await withUsers(1, async (_, [UserName]) => {
      const put = new PutUserPolicyCommand({ UserName, PolicyName: name, PolicyDocument: document });
      expect(await codeOf(setting.admin.send(put))).toBe('ValidationError');
    });
  });
});

describe('rights by path', () => {
  test('cover a user as long as it exists, and otherwise only what is granted by name', async () => {
    const UserName = randomUUID();
    const codeOf = (asked: Promise<unknown>) =>
      asked.then(
        () => 'ok',
        (error: unknown) => (error as Error).name,
      );
    const look = () => codeOf(setting.admin.send(new GetUserCommand({ UserName })));
    const list = () => codeOf(setting.admin.send(new ListAccessKeysCommand({ UserName })));
    expect(await look()).toBe('NoSuchEntityException');
    setting.proxy.setPathScope({ byName: ['ListAccessKeys'] });
    expect([await look(), await list()]).toEqual(['AccessDenied', 'NoSuchEntityException']);
    await setting.admin.send(new CreateUserCommand({ UserName }));
    expect([await look(), await list()]).toEqual(['ok', 'ok']);
    await setting.admin.send(new DeleteUserCommand({ UserName }));
    expect([await look(), await list()]).toEqual(['AccessDenied', 'NoSuchEntityException']);
  });
});
