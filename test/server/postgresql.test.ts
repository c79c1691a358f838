import { escapeIdentifier } from 'pg';
import { guardAge } from '../../activities/integrations/postgresql/guard';
import { lookUp, readLook } from '../../activities/integrations/postgresql/look';
import { createFakeFence } from '../support/fake-fence';
import {
  connectWith,
  DATABASE,
  EXPIRY,
  openPostgresSetting,
  ORCHESTRATOR,
  OTHER_DATABASE,
  OWNER,
  QUICK,
  READERS,
} from '../support/postgres-setting';
import type { PostgresFixture, PostgresLease, PostgresSetting } from '../support/postgres-setting';

jest.setTimeout(30_000);

let setting: PostgresSetting;
let shared: PostgresFixture;
const lived: PostgresLease[] = [];

beforeAll(async () => {
  setting = await openPostgresSetting();
  shared = setting.open();
  await setting.ask(
    `CREATE SCHEMA app; CREATE TABLE app.orders (a int); GRANT USAGE ON SCHEMA app TO ${escapeIdentifier(READERS)};` +
      `GRANT SELECT ON app.orders TO ${escapeIdentifier(READERS)}; CREATE TABLE app.lent (a int);` +
      `GRANT SELECT ON app.lent TO ${escapeIdentifier(ORCHESTRATOR)} WITH GRANT OPTION;` +
      `GRANT USAGE ON SCHEMA app TO ${escapeIdentifier(ORCHESTRATOR)} WITH GRANT OPTION; CREATE TABLE app.shown (a int);` +
      `GRANT SELECT ON app.shown TO ${escapeIdentifier(ORCHESTRATOR)}`,
    DATABASE,
  );
});

afterEach(async () => {
  for (const lease of lived.splice(0)) await lease.deprovision();
  expect(await rolesLike('leasehold-%')).toEqual([]);
});

afterAll(() => setting.close());

/** A lease that the test need not end. */
function lease(...args: Parameters<PostgresFixture['lease']>): PostgresLease {
  const made = shared.lease(...args);
  lived.push(made);
  return made;
}

async function rolesLike(pattern: string): Promise<string[]> {
  const rows = await setting.ask<{ rolname: string }>(`SELECT rolname FROM pg_roles WHERE rolname LIKE '${pattern}'`);
  return rows.map(({ rolname }) => rolname);
}

async function read(role: string): Promise<Record<string, unknown>> {
  const [row] = await setting.ask<Record<string, unknown>>(
    "SELECT r.*, extract(epoch FROM rolvaliduntil)::float8 * 1000 AS until, shobj_description(oid, 'pg_authid') AS comment, " +
      'ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = r.oid) AS groups ' +
      `FROM pg_roles r WHERE rolname = '${role}'`,
  );
  return row!;
}

test('a lease can log in at once, and not any more after its end', async () => {
  const one = shared.lease();

  const made = await one.provision();
  expect(made.usableAt!.getTime()).toBeLessThanOrEqual(Date.now());
  const holder = await connectWith(made);
  const { rows } = await holder.query('SELECT current_user, current_database()');
  expect(rows).toEqual([{ current_user: one.role, current_database: DATABASE }]);
  await holder.query('SELECT * FROM app.orders');

  expect(await one.deprovision()).toEqual({ result: 'removed' });
  await expect(holder.query('SELECT 1')).rejects.toThrow();
  await expect(connectWith(made)).rejects.toMatchObject({ code: '28P01' });
  expect(await one.deprovision()).toEqual({ result: 'absent' });
});

test('the parts of a credential say the same as its URL', async () => {
  const made = await lease({ roles: [READERS], owner: OWNER, database: OTHER_DATABASE }).provision();

  const { URL: url, ...parts } = made.credential;
  const { hostname, port, username, password, pathname, searchParams } = new URL(url!);
  expect(parts).toEqual({
    HOST: hostname,
    PORT: port,
    DATABASE: pathname.slice(1),
    USER: username,
    PASSWORD: password,
  });
  expect(searchParams.get('sslmode')).toBe('disable');
  expect(made.facts).toMatchObject({ role: username, database: OTHER_DATABASE });
  expect(JSON.stringify([made.facts, made.notes])).not.toContain(password);
});

test('a role is born with its limits, its expiry and its mark, and without any power over the server', async () => {
  const one = lease({ roles: [READERS], owner: OWNER, connection_limit: 2 });
  const made = await one.provision();

  const role = await read(one.role);
  expect(role).toMatchObject({
    rolsuper: false,
    rolcreaterole: false,
    rolcreatedb: false,
    rolreplication: false,
    rolbypassrls: false,
    rolconnlimit: 2,
    until: EXPIRY.getTime(),
  });
  expect(JSON.parse(role['comment'] as string)).toMatchObject({ deployment: 'testdepl', lease: one.leaseId });
  const sessions = [await connectWith(made), await connectWith(made)];
  await expect(connectWith(made)).rejects.toMatchObject({ code: '53300' });
  await Promise.all(sessions.map((session) => session.end()));
});

test('an extension moves the expiry of the role and of its mark', async () => {
  const one = lease();
  await one.provision();
  const later = new Date('2032-01-01T00:00:00.000Z');

  await one.extend(later);

  expect((await read(one.role))['until']).toBe(later.getTime());
  const marks = await shared.integration.readMarks(one.handle, new AbortController().signal);
  expect(marks).toEqual({ deployment: 'testdepl', leaseId: one.leaseId, expiresAt: later });
});

test('an extension of a role that was dropped by hand fails, and removal finds it absent', async () => {
  const one = lease();
  await one.provision();
  await setting.ask(`DROP ROLE "${one.role}"`);

  await expect(one.extend(EXPIRY)).rejects.toMatchObject({ type: 'NotFound' });
  expect(await one.deprovision()).toEqual({ result: 'absent' });
});

test('a second attempt takes over what the first one made, and only its password works', async () => {
  const one = lease();
  const first = await one.provision();
  const second = await one.provision();

  await expect(connectWith(first)).rejects.toMatchObject({ code: '28P01' });
  await (await connectWith(second)).end();
});

test('a second attempt leaves nothing of what the configuration gave the first one and gives no more', async () => {
  const first = shared.lease({ roles: [READERS], set_role: OWNER });
  await first.provision();
  const second = lease({ roles: [READERS], owner: OWNER }, first.leaseId);
  const client = await connectWith(await second.provision());

  expect((await client.query('SELECT current_user::text AS me')).rows).toEqual([{ me: second.role }]);
  expect(
    await setting.ask(`SELECT pg_has_role('${second.role}', '${OWNER.replace("'", "''")}', 'MEMBER') AS member`),
  ).toEqual([{ member: false }]);
  await client.end();
});

test('a second attempt has nothing of the grants of the first one', async () => {
  const first = lease({
    owned: 'drop',
    grants: [
      'GRANT SELECT ON app.lent TO {{role}}',
      'ALTER ROLE {{role}} IN DATABASE {{database}} SET work_mem = 12345',
    ],
  });
  await first.provision();
  const second = lease({ owned: 'drop', roles: [READERS] }, first.leaseId);
  const client = await connectWith(await second.provision());

  const { rows } = await client.query(
    "SELECT has_table_privilege('app.lent', 'SELECT') AS lent, current_setting('work_mem') AS mem",
  );
  expect(rows).toEqual([{ lent: false, mem: '4MB' }]);
  await client.end();
  expect(await second.deprovision()).toEqual({ result: 'removed' });
});

test.each([
  ['without a comment', null],
  ['of another lease', '{"managed-by":"leasehold","deployment":"testdepl","lease":"another"}'],
  ['of another installation', '{"managed-by":"leasehold","deployment":"elsewher","lease":"LEASE"}'],
])('a role of the same name %s is not touched', async (_, comment) => {
  const one = shared.lease();
  await setting.ask(`CREATE ROLE "${one.role}" LOGIN PASSWORD 'its own' VALID UNTIL '2040-01-01'`);
  // Even where the orchestrator might touch it.
  await setting.ask(`GRANT "${one.role}" TO ${escapeIdentifier(ORCHESTRATOR)} WITH ADMIN OPTION`);
  if (comment !== null) {
    await setting.ask(`COMMENT ON ROLE "${one.role}" IS '${comment.replace('LEASE', one.leaseId)}'`);
  }
  const [before] = await setting.ask(`SELECT * FROM pg_authid WHERE rolname = '${one.role}'`);

  for (const verb of [() => one.provision(), () => one.extend(EXPIRY), () => one.deprovision()]) {
    await expect(verb()).rejects.toMatchObject({ type: 'Refused', message: expect.stringContaining('not touched') });
  }

  expect(await setting.ask(`SELECT * FROM pg_authid WHERE rolname = '${one.role}'`)).toEqual([before]);
  await setting.ask(`DROP ROLE "${one.role}"`);
});

test('nothing is made for a group role that is not there or may not be granted, and the sentence names it', async () => {
  await setting.ask('CREATE ROLE "not; ours"');
  const missing = lease({ roles: [READERS, 'no such'], owner: OWNER });
  const refused = lease({ roles: ['not; ours'], owner: OWNER });
  const heirless = lease({ roles: [READERS], owner: 'not; ours' });
  const fence = createFakeFence();

  await expect(missing.provision({ fence })).rejects.toMatchObject({
    type: 'InvalidInput',
    message: expect.stringContaining('no such'),
  });
  for (const each of [refused, heirless]) {
    await expect(each.provision({ fence })).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining('not; ours'),
    });
  }
  expect(fence.passed).toEqual([]);
  await setting.ask('DROP ROLE "not; ours"');
});

test('nothing is made for a group that owns the database where the orchestrator works: such a holder could lock it out', async () => {
  const group = `"master"`;
  await setting.ask(`CREATE ROLE master; GRANT master TO ${escapeIdentifier(ORCHESTRATOR)} WITH ADMIN OPTION`);
  await setting.ask(`ALTER DATABASE ${escapeIdentifier(DATABASE)} OWNER TO ${group}`);
  const fence = createFakeFence();

  await expect(lease({ roles: ['master'], owned: 'drop' }).provision({ fence })).rejects.toMatchObject({
    type: 'InvalidInput',
    message: expect.stringContaining('connection.database'),
  });
  expect(fence.passed).toEqual([]);
  // From another one it cannot.
  const elsewhere = setting
    .open({ database: 'postgres' })
    .lease({ roles: ['master'], owned: 'drop', database: DATABASE });
  const holder = await connectWith(await elsewhere.provision());
  await holder.query('SET ROLE master');
  await holder.query(`ALTER DATABASE ${escapeIdentifier(DATABASE)} CONNECTION LIMIT 0`);
  expect(await elsewhere.deprovision()).toEqual({ result: 'removed' });

  await setting.ask(`ALTER DATABASE ${escapeIdentifier(DATABASE)} CONNECTION LIMIT -1`);
  await setting.ask(`ALTER DATABASE ${escapeIdentifier(DATABASE)} OWNER TO postgres`);
  await setting.ask('DROP ROLE master');
});

test('nothing is made whose holder could leave code for the orchestrator itself', async () => {
  const fence = createFakeFence();
  await expect(lease({ roles: [READERS], owner: ORCHESTRATOR }).provision({ fence })).rejects.toMatchObject({
    type: 'InvalidInput',
    message: expect.stringContaining("the orchestrator's own power"),
  });
  expect(fence.passed).toEqual([]);
});

test('nothing is made for an owner that the orchestrator may not act as, since functions could not be handed on to it', async () => {
  await setting.ask(`CREATE ROLE shy; GRANT shy TO ${escapeIdentifier(ORCHESTRATOR)} WITH INHERIT TRUE, SET FALSE`);
  await expect(lease({ roles: [READERS], owner: 'shy' }).provision()).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringContaining('GRANT shy TO its role WITH INHERIT TRUE, SET TRUE'),
  });
  await setting.ask('DROP ROLE shy');
});

test('what is set for a database, by whoever owns it, is not in force where the orchestrator works', async () => {
  const settings = [
    'default_transaction_read_only = on',
    'role = pg_monitor',
    'extra_float_digits = -15',
    'exit_on_error = on',
    "local_preload_libraries = 'not there'",
    ...(setting.version < 140_000 ? [] : ["idle_session_timeout = '1ms'"]),
    ...(setting.version < 170_000 ? [] : ["transaction_timeout = '1ms'"]),
  ];
  for (const each of settings) await setting.ask(`ALTER DATABASE ${escapeIdentifier(DATABASE)} SET ${each}`);
  await setting.ask(`GRANT pg_monitor TO ${escapeIdentifier(ORCHESTRATOR)}`);
  const one = setting.open().lease({ roles: [READERS], owned: 'drop' });
  await one.provision();

  expect(await one.deprovision()).toEqual({ result: 'removed' });
  await setting.ask(`ALTER DATABASE ${escapeIdentifier(DATABASE)} RESET ALL`);
  await setting.ask(`REVOKE pg_monitor FROM ${escapeIdentifier(ORCHESTRATOR)}`);
});

test('what the orchestrator may do only through another role it may do, and the check names it', async () => {
  await setting.ask(
    'CREATE ROLE desk; CREATE ROLE "desk group"; CREATE ROLE "desk owner"; ' +
      'GRANT "desk group" TO desk WITH ADMIN OPTION; GRANT "desk owner" TO desk; ' +
      `GRANT desk TO ${escapeIdentifier(ORCHESTRATOR)}`,
  );
  const one = lease({ roles: ['desk group'], owner: 'desk owner' });
  await one.provision();

  const members = `SELECT pg_has_role('${one.role}', 'desk group', 'MEMBER') AS member`;
  expect(await setting.ask(members)).toEqual([{ member: true }]);
  const { notes } = await shared.integration.check(new AbortController().signal);
  expect(notes.join('\n')).toContain('desk group');
  expect(notes.join('\n')).not.toContain('desk owner');

  await one.deprovision();
  await setting.ask('DROP ROLE "desk group", "desk owner", desk');
});

test('templates grant in the database of the lease, with its names quoted', async () => {
  const one = lease({
    owned: 'drop',
    grants: [
      'GRANT USAGE ON SCHEMA app TO {{role}}',
      'GRANT SELECT ON app.lent TO {{role}}',
      'GRANT TEMPORARY ON DATABASE {{database}} TO {{role}}',
      'ALTER ROLE {{role}} IN DATABASE {{database}} SET work_mem = 12345',
    ],
  });
  await setting.ask(
    `GRANT TEMPORARY ON DATABASE ${escapeIdentifier(DATABASE)} TO ${escapeIdentifier(ORCHESTRATOR)} WITH GRANT OPTION`,
  );
  const holder = await connectWith(await one.provision());
  expect((await holder.query('SHOW work_mem')).rows).toEqual([{ work_mem: '12345kB' }]);
  await holder.query('SELECT * FROM app.lent; CREATE TEMPORARY TABLE own (a int)');

  await holder.end();
  expect(await one.deprovision()).toEqual({ result: 'removed' });
});

test('a privilege that the server does not pass on fails the lease instead of being left out in silence', async () => {
  const one = lease({ owned: 'drop', grants: ['GRANT SELECT ON app.shown TO {{role}}'] });
  await expect(one.provision()).rejects.toMatchObject({ type: 'Refused', facts: { code: '01007' } });
});

test('a wrong template makes nothing and tells no more than its code', async () => {
  const one = lease({ owned: 'drop', grants: ['GRANT SELECT ON app.canary_table TO {{role}}'] });
  const fence = createFakeFence();
  const error = await one.provision({ fence }).then(
    () => null,
    (reason: unknown) => reason as Error,
  );
  expect(error).toMatchObject({ type: 'InvalidInput', facts: { code: '42P01' } });
  expect(error!.message).not.toContain('canary');
  expect(fence.withdrawn()).toBe(1);
  expect(await rolesLike(one.role)).toEqual([]);
});

test('a holder that acts as the owner makes things that are the owner’s from the first moment', async () => {
  const one = lease({ set_role: OWNER });
  const holder = await connectWith(await one.provision());
  const { rows } = await holder.query('SELECT current_user, session_user');
  expect(rows).toEqual([{ current_user: OWNER, session_user: one.role }]);
  await holder.query('CREATE TABLE public.common (a int)');

  expect(await one.deprovision()).toEqual({ result: 'removed' });
  await expect(holder.query('SELECT 1')).rejects.toThrow();
  expect(await setting.ask("SELECT tableowner FROM pg_tables WHERE tablename = 'common'", DATABASE)).toEqual([
    { tableowner: OWNER },
  ]);
});

test('fifty leases of one database live and end at once, over no more connections than allowed', async () => {
  const fixture = setting.open({ pool_size: 3 });
  const leases = Array.from({ length: 50 }, () => fixture.lease());
  const others = await countConnections();
  let most = 0;
  const watching = new AbortController();
  const watched = (async () => {
    while (!watching.signal.aborted) most = Math.max(most, (await countConnections()) - others);
  })();

  const made = await Promise.all(leases.map((each) => each.provision()));
  for (const each of made) await (await connectWith(each)).end();
  const removals = await Promise.all(leases.map((each) => each.deprovision()));
  watching.abort();
  await watched;

  expect(removals.every(({ result }) => result === 'removed')).toBe(true);
  expect(most).toBe(3);
});

async function countConnections(): Promise<number> {
  const [row] = await setting.ask<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'leasehold'",
  );
  return row!.n;
}

test('an attempt whose fence is closed changes nothing', async () => {
  const one = lease();
  const fence = createFakeFence();
  fence.refuseFrom(1);
  await expect(one.provision({ fence })).rejects.toThrow('refused before CreateRole');
  expect(await rolesLike(one.role)).toEqual([]);

  const late = createFakeFence();
  late.expireFrom(1);
  await expect(one.provision({ fence: late })).rejects.toMatchObject({ type: 'Unavailable' });
  expect(late.withdrawn()).toBe(1);
  expect(await rolesLike(one.role)).toEqual([]);

  await one.provision();
  const closed = createFakeFence();
  closed.refuseFrom(1);
  await expect(one.deprovision({ fence: closed })).rejects.toThrow('refused before DisableRole');
  expect(await read(one.role)).toMatchObject({ rolcanlogin: true });
});

test('a password that an earlier attempt sets too late does not replace the one that was delivered', async () => {
  const one = lease();
  await one.provision();
  let delivered: Awaited<ReturnType<PostgresLease['provision']>> | undefined;
  // The first attempt is let pass, and then its successor delivers before the statement arrives.
  const fence = createFakeFence(async () => {
    delivered ??= await one.provision();
  });
  fence.refuseFrom(2);

  await expect(one.provision({ fence })).rejects.toThrow();
  expect(fence.passed).toEqual(['SetPassword']);
  await (await connectWith(delivered!)).end();
});

test('a statement that arrives late makes no role', async () => {
  const client = await setting.admin();
  await client.query('SET search_path = pg_catalog');
  const { rows } = await client.query<Record<string, unknown>>(lookUp('nobody'));
  const looked = readLook(rows[0], 'nobody');

  await setting.ask(guardAge(looked, QUICK.validMs));
  const old = { ...looked, serverMs: looked.serverMs - QUICK.validMs - 1_000 };
  await expect(setting.ask(guardAge(old, QUICK.validMs))).rejects.toMatchObject({ code: '22012' });
});
