import { randomBytes } from 'node:crypto';
import {
  CreateUserCommand,
  DeleteUserCommand,
  TagUserCommand,
  UntagUserCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam';
import type { EntityPage, ListedEntity } from '../../activities/integrations/integration';
import { DEPLOYMENT, EXPIRY } from '../support/aws-lease';
import type { AwsFixture } from '../support/aws-lease';
import { openAwsSetting } from '../support/aws-setting';
import type { AwsSetting } from '../support/aws-setting';

const PREFIX = 'Lease.hold';
const LEASE = 'abcdefghijklmnopqrstuvwx';

// Other tests run at the same time.
jest.setTimeout(30_000);

let setting: AwsSetting;
let aws: AwsFixture;
/** The emulator is shared with other tests: what each test lists lives under a path of its own. */
let path: string;
const strangers: string[] = [];

beforeAll(async () => {
  setting = await openAwsSetting();
});

beforeEach(() => {
  path = `/list-${randomBytes(8).toString('hex')}/`;
  aws = setting.open({ path, name_prefix: PREFIX });
});

afterEach(async () => {
  setting.proxy.clearFaults();
  for (const UserName of strangers.splice(0)) await setting.admin.send(new DeleteUserCommand({ UserName }));
});

afterAll(() => setting.close());

const signal = () => new AbortController().signal;

async function makeUser(UserName: string, Path = path): Promise<void> {
  await setting.admin.send(new CreateUserCommand({ UserName, Path }));
  strangers.push(UserName);
}

/** All pages. */
async function listPages(from: AwsFixture = aws): Promise<EntityPage[]> {
  const pages: EntityPage[] = [];
  let cursor: string | null = null;
  do {
    const page: EntityPage = await from.integration.list(cursor, signal());
    pages.push(page);
    cursor = page.next;
  } while (cursor !== null);
  return pages;
}

async function listAll(from?: AwsFixture): Promise<ListedEntity[]> {
  return (await listPages(from)).flatMap(({ entities }) => entities);
}

describe('the list of entities', () => {
  test('names each lease by its mark, with the handle that its plan gave and the time it was made', async () => {
    const lease = aws.lease();
    const before = Date.now();
    await lease.provision();
    const [listed, ...others] = await listAll();
    expect(others).toEqual([]);
    expect(listed).toEqual({
      entity: lease.userName,
      mark: { deployment: DEPLOYMENT, leaseId: lease.leaseId },
      handle: lease.handle,
      createdAt: expect.any(Date) as Date,
    });
    // IAM knows whole seconds only.
    expect(listed!.createdAt!.getTime()).toBeGreaterThanOrEqual(before - 1_000);
    expect(listed!.createdAt!.getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
    await lease.deprovision();
    expect(await listAll()).toEqual([]);
  });

  test('holds every lease once, however many pages there are', async () => {
    const leases = [1, 2, 3, 4, 5].map(() => aws.lease());
    for (const lease of leases) await lease.provision();
    setting.proxy.forget();
    const throttled = aws.throttled();
    const pages = await listPages();
    expect(pages.map(({ entities }) => entities.length)).toEqual([2, 2, 1]);
    expect(
      pages
        .flatMap(({ entities }) => entities)
        .map(({ entity }) => entity)
        .sort(),
    ).toEqual(leases.map(({ userName }) => userName).sort());
    expect(setting.proxy.calls.map(({ operation }) => operation)).toEqual(['ListUsers', 'ListUsers', 'ListUsers']);
    expect(aws.throttled() - throttled).toBe(3);
    for (const lease of leases) await lease.deprovision();
  });

  test('finds the leases of another installation under the same path, by their own mark', async () => {
    const name = `${PREFIX}-otherone-${LEASE}`;
    await makeUser(name);
    expect(await listAll()).toMatchObject([{ entity: name, mark: { deployment: 'otherone', leaseId: LEASE } }]);
  });

  test.each([
    ['that ends too early', `${PREFIX}-${DEPLOYMENT}-${LEASE.slice(1)}`],
    ['that goes on after the lease', `${PREFIX}-${DEPLOYMENT}-${LEASE}-old`],
    ['with a deployment in capitals', `${PREFIX}-${DEPLOYMENT.toUpperCase()}-${LEASE}`],
    ['with a lease in capitals', `${PREFIX}-${DEPLOYMENT}-${LEASE.toUpperCase()}`],
    ['with a digit that is none of base 32', `${PREFIX}-${DEPLOYMENT}-${LEASE.slice(1)}1`],
    ['of nothing but the prefix', `${PREFIX}-`],
  ])('gives no mark to a name %s', async (_, name) => {
    await makeUser(name);
    expect(await listAll()).toMatchObject([{ entity: name, mark: null, handle: { userName: name, path } }]);
  });

  test.each([
    ['of another prefix', `other-${DEPLOYMENT}-${LEASE}`],
    ['of its prefix in other letters', `${PREFIX.toLowerCase()}-${DEPLOYMENT}-${LEASE}`],
    ['that only looks like its prefix to a pattern', `LeaseXhold-${DEPLOYMENT}-${LEASE}`],
    ['that begins with more than its prefix', `${PREFIX}2-${DEPLOYMENT}-${LEASE}`],
  ])('leaves out a user %s', async (_, name) => {
    await makeUser(name);
    expect(await listAll()).toEqual([]);
  });

  test('gives no mark to a user in a folder below its path', async () => {
    const name = `${PREFIX}-${DEPLOYMENT}-${LEASE}`;
    await makeUser(name, `${path}below/`);
    expect(await listAll()).toMatchObject([{ entity: name, mark: null }]);
  });

  test('leaves out what is under another path', async () => {
    await makeUser(`${PREFIX}-${DEPLOYMENT}-${LEASE}`, '/');
    expect(await listAll()).toEqual([]);
  });

  test('says so when IAM throttles', async () => {
    setting.proxy.fault({ operation: 'ListUsers', kind: 'throttle' });
    await expect(listAll()).rejects.toMatchObject({ name: 'IntegrationError', type: 'Throttled' });
  });

  test('says so when IAM does not answer', async () => {
    setting.proxy.fault({ operation: 'ListUsers', kind: 'lost-answer' });
    await expect(listAll()).rejects.toMatchObject({ name: 'IntegrationError', type: 'Unavailable' });
  });

  test('is given up with the reason of its signal', async () => {
    const controller = new AbortController();
    setting.proxy.fault({ operation: 'ListUsers', kind: 'hang' });
    const listing = aws.integration.list(null, controller.signal);
    const reason = new Error('enough');
    setTimeout(() => {
      controller.abort(reason);
    }, 20);
    await expect(listing).rejects.toBe(reason);
  });
});

describe('the marks on an entity', () => {
  test('are those of its lease, with the expiry as it was last moved', async () => {
    const lease = aws.lease();
    await lease.provision();
    const marks = { deployment: DEPLOYMENT, leaseId: lease.leaseId };
    expect(await aws.integration.readMarks(lease.handle, signal())).toEqual({ ...marks, expiresAt: EXPIRY });
    const later = new Date('2032-03-04T05:06:07.890Z');
    await lease.extend(later);
    expect(await aws.integration.readMarks(lease.handle, signal())).toEqual({ ...marks, expiresAt: later });
    await lease.deprovision();
  });

  test('are null where there is no such entity', async () => {
    expect(await aws.integration.readMarks(aws.lease().handle, signal())).toBeNull();
  });

  test('are empty on a user that has none', async () => {
    const name = `${PREFIX}-${DEPLOYMENT}-${LEASE}`;
    await makeUser(name);
    const [{ handle }] = (await listAll()) as [ListedEntity];
    expect(await aws.integration.readMarks(handle, signal())).toEqual({
      deployment: null,
      leaseId: null,
      expiresAt: null,
    });
  });

  test('say which half of them is gone', async () => {
    const lease = aws.lease();
    await lease.provision();
    await setting.admin.send(new UntagUserCommand({ UserName: lease.userName, TagKeys: ['leasehold:lease'] }));
    expect(await aws.integration.readMarks(lease.handle, signal())).toEqual({
      deployment: DEPLOYMENT,
      leaseId: null,
      expiresAt: EXPIRY,
    });
    const restored = [{ Key: 'leasehold:lease', Value: lease.leaseId }];
    await setting.admin.send(new TagUserCommand({ UserName: lease.userName, Tags: restored }));
    await lease.deprovision();
  });

  test.each([
    ['2031-02-03T04:05:06Z', '2031-02-03T04:05:06.000Z'],
    ['2031-02-30T04:05:06.000Z', null],
    ['2031-02-03T04:05:06.000+01:00', null],
    ['2031-02-03', null],
    ['1927857906000', null],
    ['tomorrow', null],
    ['', null],
  ])('read the expiry %p as %p', async (written, read) => {
    const lease = aws.lease();
    await lease.provision();
    const Tags = [{ Key: 'leasehold:expires-at', Value: written }];
    await setting.admin.send(new TagUserCommand({ UserName: lease.userName, Tags }));
    const marks = await aws.integration.readMarks(lease.handle, signal());
    expect(marks!.expiresAt).toEqual(read === null ? null : new Date(read));
    await lease.deprovision();
  });

  test('are not taken from a user that was moved to another path', async () => {
    const lease = aws.lease();
    await lease.provision();
    const { userName: UserName } = lease;
    await setting.admin.send(new UpdateUserCommand({ UserName, NewPath: '/elsewhere/' }));
    expect(await aws.integration.readMarks(lease.handle, signal())).toEqual({
      deployment: null,
      leaseId: null,
      expiresAt: null,
    });
    await setting.admin.send(new UpdateUserCommand({ UserName, NewPath: path }));
    await lease.deprovision();
  });

  test('are not called absent when IAM does not answer', async () => {
    setting.proxy.fault({ operation: 'GetUser', kind: '500-before' });
    await expect(aws.integration.readMarks(aws.lease().handle, signal())).rejects.toMatchObject({
      name: 'IntegrationError',
      type: 'Unavailable',
    });
  });

  test('are not asked for by a handle that names no user', async () => {
    setting.proxy.forget();
    await expect(aws.integration.readMarks({ role: 'x' }, signal())).rejects.toMatchObject({ type: 'InvalidInput' });
    expect(setting.proxy.calls).toEqual([]);
  });
});
