import { escapeIdentifier } from 'pg';
import type { EntityPage } from '../../activities/integrations/integration';
import { createFakeFence } from '../support/fake-fence';
import { eventually } from '../support/lab';
import {
  connectWith,
  DATABASE,
  openPostgresSetting,
  ORCHESTRATOR,
  OTHER_DATABASE,
  OWNER,
  READERS,
} from '../support/postgres-setting';
import type { PostgresFixture, PostgresSetting } from '../support/postgres-setting';

jest.setTimeout(30_000);

let setting: PostgresSetting;
let fixture: PostgresFixture;

beforeAll(async () => {
  setting = await openPostgresSetting();
  fixture = setting.open();
});

afterAll(() => setting.close());

const DROPPED = { roles: [READERS], owned: 'drop' };

test('nobody comes in any more once removal has begun, long before the role is dropped', async () => {
  const lease = fixture.lease(DROPPED);
  const made = await lease.provision();
  const refusals: unknown[] = [];
  const fence = createFakeFence(async (operation) => {
    if (operation !== 'DropRole') return;
    await connectWith(made).then(
      () => refusals.push('let in'),
      (error: unknown) => refusals.push((error as { code?: unknown }).code),
    );
  });

  expect(await lease.deprovision({ fence })).toEqual({ result: 'removed' });
  expect(refusals).toEqual(['28P01']);
});

test('a role without sessions that owns nothing goes without a change of memberships, which take long where roles are many', async () => {
  const unused = fixture.lease(DROPPED);
  await unused.provision();
  const fence = createFakeFence();
  expect(await unused.deprovision({ fence })).toEqual({ result: 'removed' });
  expect(fence.passed).toEqual(['DisableRole', 'DropRole']);

  const owning = fixture.lease(DROPPED);
  const holder = await connectWith(await owning.provision());
  await holder.query('CREATE TABLE public.left_behind (a int)');
  await holder.end();
  await eventually(
    async () => (await setting.ask(`SELECT 1 FROM pg_stat_activity WHERE usename = '${owning.role}'`)).length === 0,
    'the session to end',
  );
  const later = createFakeFence();
  expect(await owning.deprovision({ fence: later })).toEqual({ result: 'removed' });
  expect(later.passed).toEqual(['DisableRole', 'JoinRole', 'DropOwned', 'DropRole']);
});

test('whoever comes in at the last moment is sent out by removal all the same', async () => {
  const lease = fixture.lease(DROPPED);
  const made = await lease.provision();
  let holder: Awaited<ReturnType<typeof connectWith>> | undefined;
  const fence = createFakeFence(async (operation) => {
    if (operation !== 'DisableRole' || holder !== undefined) return;
    holder = await connectWith(made);
    await holder.query(`BEGIN; ALTER ROLE "${lease.role}" PASSWORD 'mine'`);
  });

  expect(await lease.deprovision({ fence })).toEqual({ result: 'removed' });
  await expect(holder!.query('SELECT 1')).rejects.toThrow();
});

test('what others built upon what the holder made stops removal, is named, and is never deleted with it', async () => {
  const lease = fixture.lease(DROPPED);
  const holder = await connectWith(await lease.provision());
  await holder.query(
    'CREATE TABLE public.base (a int PRIMARY KEY); CREATE VIEW public.own AS SELECT * FROM public.base',
  );
  await setting.ask(
    'CREATE VIEW public."their view" AS SELECT * FROM public.base; CREATE TABLE public.child (a int REFERENCES public.base)',
    DATABASE,
  );

  const error = await lease.deprovision().then(
    () => null,
    (reason: unknown) => reason as Error,
  );

  expect(error).toMatchObject({ type: 'Unavailable', facts: { operation: 'DropOwned', code: '2BP01' } });
  expect(error!.message).toContain('view public."their view"');
  expect(error!.message).toContain('table public.child');
  expect(error!.message).not.toContain('view public.own');
  // Cut off it is all the same.
  await expect(holder.query('SELECT 1')).rejects.toThrow();

  await setting.ask('DROP VIEW "their view"; DROP TABLE child', DATABASE);
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
});

test('things in a database that the orchestrator may not enter stop removal, and the database is named', async () => {
  const lease = fixture.lease(DROPPED);
  const made = await lease.provision();
  await (await connectWith(made, OTHER_DATABASE)).query('CREATE TABLE public.there (a int)');
  await setting.ask(`REVOKE CONNECT ON DATABASE ${OTHER_DATABASE} FROM PUBLIC`);

  await expect(lease.deprovision()).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringContaining(OTHER_DATABASE),
  });
  await expect(connectWith(made)).rejects.toMatchObject({ code: '28P01' });

  await setting.ask(`GRANT CONNECT ON DATABASE ${OTHER_DATABASE} TO PUBLIC`);
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
});

test('things in a database that the orchestrator may enter only as the holder could are removed at once', async () => {
  await setting.ask(`REVOKE CONNECT ON DATABASE ${OTHER_DATABASE} FROM PUBLIC`);
  await setting.ask(`GRANT CONNECT ON DATABASE ${OTHER_DATABASE} TO ${escapeIdentifier(READERS)}`);
  const lease = fixture.lease(DROPPED);
  const holder = await connectWith(await lease.provision(), OTHER_DATABASE);
  await holder.query('CREATE TABLE public.inside (a int)');
  await holder.end();

  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  await setting.ask(`REVOKE CONNECT ON DATABASE ${OTHER_DATABASE} FROM ${escapeIdentifier(READERS)}`);
  await setting.ask(`GRANT CONNECT ON DATABASE ${OTHER_DATABASE} TO PUBLIC`);
});

test('what others granted to a role is taken back with it, and the orchestrator acts for none of them afterwards', async () => {
  const [victim, lease] = [fixture.lease(DROPPED), fixture.lease(DROPPED)];
  await victim.provision();
  const holder = await connectWith(await lease.provision());
  await holder.query('CREATE TABLE public.lent (a int)');
  await holder.query(`GRANT SELECT, UPDATE (a) ON public.lent TO "${victim.role}"`);
  await holder.query(`SET ROLE ${escapeIdentifier(READERS)}`);
  await holder.query(`SELECT lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO "${victim.role}"`);

  expect(await victim.deprovision()).toEqual({ result: 'removed' });
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  expect(
    await setting.ask(
      `SELECT roleid::regrole::text AS group, inherit_option AS inherits FROM pg_auth_members
       WHERE member = '${escapeIdentifier(ORCHESTRATOR)}'::regrole AND roleid = '${escapeIdentifier(READERS)}'::regrole`,
    ),
  ).toEqual([{ group: escapeIdentifier(READERS), inherits: false }]);
  await setting.ask('SELECT lo_unlink(4711)', DATABASE);
});

test('what somebody granted to a role for whom the orchestrator may not act stops removal, and both are named', async () => {
  const lease = fixture.lease(DROPPED);
  const made = await lease.provision();
  await setting.ask(`CREATE TABLE public."of ours" (a int); GRANT SELECT ON "of ours" TO "${lease.role}"`, DATABASE);

  const error = await lease.deprovision().then(
    () => null,
    (reason: unknown) => reason as Error,
  );

  expect(error).toMatchObject({ type: 'Unavailable', facts: { operation: 'DropRole', code: '2BP01' } });
  expect(error!.message).toContain('table public."of ours", granted by postgres');
  await expect(connectWith(made)).rejects.toMatchObject({ code: '28P01' });
  await setting.ask('DROP TABLE public."of ours"', DATABASE);
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
});

test('a publication that nobody else may get stops removal, and what is missing is named', async () => {
  await setting.ask(`REVOKE CREATE ON DATABASE ${OTHER_DATABASE} FROM PUBLIC`);
  await setting.ask(`GRANT CREATE ON DATABASE ${OTHER_DATABASE} TO ${escapeIdentifier(READERS)}`);
  const lease = fixture.lease();
  await (await connectWith(await lease.provision(), OTHER_DATABASE)).query('CREATE PUBLICATION news');

  await expect(lease.deprovision()).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringContaining(`GRANT CREATE ON DATABASE ${OTHER_DATABASE} TO ${OWNER}`),
  });

  await setting.ask(`REVOKE CREATE ON DATABASE ${OTHER_DATABASE} FROM ${escapeIdentifier(READERS)}`);
  await setting.ask(`GRANT CREATE ON DATABASE ${OTHER_DATABASE} TO PUBLIC`);
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
});

test('an owner that was dropped meanwhile stops removal, and is named', async () => {
  await setting.ask(`CREATE ROLE "next owner"; GRANT "next owner" TO ${escapeIdentifier(ORCHESTRATOR)}`);
  const lease = fixture.lease({ roles: [READERS], owner: 'next owner' });
  await (await connectWith(await lease.provision())).query('CREATE TABLE public.heritage (a int)');
  await setting.ask('DROP ROLE "next owner"');

  await expect(lease.deprovision()).rejects.toMatchObject({ message: expect.stringContaining('next owner') });

  await setting.ask(`CREATE ROLE "next owner"; GRANT "next owner" TO ${escapeIdentifier(ORCHESTRATOR)}`);
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  expect(await setting.ask("SELECT tableowner FROM pg_tables WHERE tablename = 'heritage'", DATABASE)).toEqual([
    { tableowner: 'next owner' },
  ]);
});

test('what a holder leaves goes to whom the role itself names, whatever a history says', async () => {
  const lease = fixture.lease({ roles: [READERS], owner: OWNER });
  const holder = await connectWith(await lease.provision());
  await holder.query('CREATE FUNCTION public.trap() RETURNS int LANGUAGE sql SECURITY DEFINER AS $$ SELECT 1 $$');
  const handle = { ...lease.handle, owner: ORCHESTRATOR };

  await lease.extend(new Date(Date.now() + 600_000), { handle });
  expect(await lease.deprovision({ handle })).toEqual({ result: 'removed' });
  expect(
    await setting.ask("SELECT pg_get_userbyid(proowner) AS owner FROM pg_proc WHERE proname = 'trap'", DATABASE),
  ).toEqual([{ owner: OWNER }]);
});

test('a history that somebody wrote by hand makes the server do nothing by the name of its role', async () => {
  const lease = fixture.lease(DROPPED);
  await lease.provision();
  const role = `*/ CREATE ROLE evil LOGIN; /*${lease.role.slice('leasehold'.length)}`;

  await expect(lease.deprovision({ handle: { ...lease.handle, role } })).rejects.toMatchObject({ type: 'Refused' });
  expect(await setting.ask("SELECT FROM pg_roles WHERE rolname = 'evil'")).toEqual([]);
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
});

test('a role that somebody gave a name with a statement in it is looked at like any other', async () => {
  const name = 'leasehold-*/ CREATE ROLE evil LOGIN; /*';
  await setting.ask(`CREATE ROLE ${escapeIdentifier(name)}`);
  const { signal } = new AbortController();
  const { entities } = await fixture.integration.list(null, signal);
  const { handle } = entities.find(({ entity }) => entity === name)!;

  expect(await fixture.integration.readMarks(handle, signal)).toMatchObject({ leaseId: null });
  expect(await setting.ask("SELECT FROM pg_roles WHERE rolname = 'evil'")).toEqual([]);
  await setting.ask(`DROP ROLE ${escapeIdentifier(name)}`);
});

test('a function that is older than the schema it was moved to goes to the owner, too', async () => {
  const lease = fixture.lease();
  const holder = await connectWith(await lease.provision());
  await holder.query(
    "CREATE FUNCTION public.moved() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SCHEMA moved; ALTER FUNCTION public.moved() SET SCHEMA moved",
  );

  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  expect(
    await setting.ask("SELECT pg_get_userbyid(proowner) AS owner FROM pg_proc WHERE proname = 'moved'", DATABASE),
  ).toEqual([{ owner: OWNER }]);
});

test('a schema in which the owner may not create stops removal, and is named', async () => {
  await setting.ask(
    `CREATE SCHEMA narrow; GRANT USAGE, CREATE ON SCHEMA narrow TO ${escapeIdentifier(READERS)}`,
    DATABASE,
  );
  const lease = fixture.lease();
  const holder = await connectWith(await lease.provision());
  await holder.query("CREATE FUNCTION narrow.f() RETURNS int LANGUAGE sql AS 'SELECT 1'");

  await expect(lease.deprovision()).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringContaining('narrow. Grant it CREATE'),
  });

  await setting.ask(`GRANT USAGE, CREATE ON SCHEMA narrow TO ${escapeIdentifier(OWNER)}`, DATABASE);
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
});

test('locks that others hold on what the holder made stop removal only while they last', async () => {
  const lease = fixture.lease(DROPPED);
  const holder = await connectWith(await lease.provision());
  await holder.query('CREATE TABLE public.busy (a int)');
  const other = await setting.admin(DATABASE);
  await other.query('BEGIN; LOCK TABLE public.busy');

  await expect(lease.deprovision()).rejects.toMatchObject({ type: 'Unavailable', facts: { code: '55P03' } });

  await other.query('COMMIT');
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
});

test('what the holder owns in a database that was dropped is no hindrance', async () => {
  await setting.ask('CREATE DATABASE passing');
  await setting.ask('GRANT CREATE ON DATABASE passing TO PUBLIC');
  const lease = fixture.lease(DROPPED);
  await (await connectWith(await lease.provision(), 'passing')).query('CREATE SCHEMA own');
  await setting.ask('DROP DATABASE passing WITH (FORCE)');

  expect(await lease.deprovision()).toEqual({ result: 'removed' });
});

test('a role that owns things and says nothing of what should become of them is left for a person', async () => {
  const lease = fixture.lease(DROPPED);
  await (await connectWith(await lease.provision())).query('CREATE TABLE public.undecided (a int)');
  const [comment] = await setting.ask<{ text: string }>(
    `SELECT shobj_description(oid, 'pg_authid') AS text FROM pg_roles WHERE rolname = '${lease.role}'`,
  );
  const bare = comment!.text.replace('"owned":"drop",', '');
  await setting.ask(`COMMENT ON ROLE "${lease.role}" IS '${bare}'`);

  const { entities } = await fixture.integration.list(null, new AbortController().signal);
  const found = entities.find(({ entity }) => entity === lease.role)!;
  await expect(lease.deprovision({ handle: found.handle })).rejects.toMatchObject({ type: 'Refused' });
  expect(await setting.ask("SELECT 1 AS kept FROM pg_tables WHERE tablename = 'undecided'", DATABASE)).toHaveLength(1);

  expect(await lease.deprovision()).toEqual({ result: 'removed' });
});

test('the list has every role with the prefix, page by page, and what should become of what each owns', async () => {
  const other = setting.open({ name_prefix: 'listed' });
  const leases = [other.lease(DROPPED), other.lease(), other.lease({ roles: [READERS], set_role: OWNER })];
  for (const lease of leases) await lease.provision();
  await setting.ask(
    'DO $$ BEGIN FOR n IN 1000..1250 LOOP EXECUTE format(\'CREATE ROLE "listed-%s"\', n); END LOOP; END $$;' +
      'CREATE ROLE listedlike; CREATE ROLE "listed_-other"; CREATE ROLE "Listed-other"',
  );

  const pages: EntityPage[] = [];
  for (let cursor: string | null = null; pages.length === 0 || cursor !== null; cursor = pages.at(-1)!.next) {
    pages.push(await other.integration.list(cursor, new AbortController().signal));
  }

  const all = pages.flatMap(({ entities }) => entities);
  expect(pages.length).toBe(2);
  expect(all.length).toBe(251 + leases.length);
  expect(new Set(all.map(({ entity }) => entity)).size).toBe(all.length);
  for (const lease of leases) {
    expect(all.find(({ entity }) => entity === lease.role)?.handle).toEqual(lease.handle);
  }
  expect(all.filter(({ mark }) => mark !== null).length).toBe(leases.length);
  for (const lease of leases) await lease.deprovision();
});

test('the check names what the orchestrator lacks and makes nothing', async () => {
  const signal = new AbortController().signal;
  const good = await fixture.integration.check(signal);
  expect(good).toMatchObject({ identity: ORCHESTRATOR, missingRights: [] });
  expect(good.notes.join('\n')).toContain(READERS);
  expect(good.notes.join('\n')).toContain('not encrypted');

  await setting.ask(`ALTER ROLE ${escapeIdentifier(ORCHESTRATOR)} NOCREATEROLE`);
  await setting.ask(`REVOKE CONNECT ON DATABASE ${OTHER_DATABASE} FROM PUBLIC`);
  const lacking = await fixture.integration.check(signal);
  expect(lacking.missingRights).toEqual(['CREATEROLE']);
  expect(lacking.notes.join('\n')).toContain(OTHER_DATABASE);

  await setting.ask(`ALTER ROLE ${escapeIdentifier(ORCHESTRATOR)} SUPERUSER`);
  const mighty = await fixture.integration.check(signal);
  expect(mighty.missingRights).toEqual([]);
  expect(mighty.notes.join('\n')).toContain('superuser');
  await setting.ask(`ALTER ROLE ${escapeIdentifier(ORCHESTRATOR)} NOSUPERUSER CREATEROLE`);
  await setting.ask(`GRANT CONNECT ON DATABASE ${OTHER_DATABASE} TO PUBLIC`);
  expect(await setting.ask("SELECT 1 FROM pg_roles WHERE rolname LIKE 'leasehold-%'")).toEqual([]);
});
