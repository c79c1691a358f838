import { randomUUID } from 'node:crypto';
import { CreateUserCommand, DeleteUserCommand, GetAccountSummaryCommand, ListUsersCommand } from '@aws-sdk/client-iam';
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
