import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { escapeIdentifier } from 'pg';
import type { Client } from 'pg';
import type { Made } from '../../activities/integrations/integration';
import { projectRoot } from '../../dev/root';
import { eventually } from '../support/base-lab';
import { createFakeFence } from '../support/fake-fence';
import { arriveSlowly, arriveUnseen, countUnseen } from '../support/postgres-arrival';
import type { Arrival } from '../support/postgres-arrival';
import { endHostileHolder } from '../support/postgres-hostile';
import type { HostileEnd } from '../support/postgres-hostile';
import {
  connectAs,
  connectWith,
  DATABASE,
  openPostgresSetting,
  ORCHESTRATOR,
  OWNER,
  READERS,
} from '../support/postgres-setting';
import type { PostgresSetting } from '../support/postgres-setting';

jest.setTimeout(60_000);

let setting: PostgresSetting;

beforeEach(async () => {
  setting = await openPostgresSetting({ settings: { log_statement: 'all', max_prepared_transactions: '5' } });
});

afterEach(() => setting.close());

function expectGone(end: HostileEnd): void {
  expect(end).toMatchObject({ removal: { result: 'removed' }, sessions: 0, roles: 0, dangling: 0, refusal: '28P01' });
  // Temporal would cut an attempt off after thirty.
  expect(end.tookMs).toBeLessThan(20_000);
  expect(end.logins).toBeGreaterThan(0);
}

function loginOf({ credential }: Made): { user: string; password: string; database: string } {
  return { user: credential['USER']!, password: credential['PASSWORD']!, database: credential['DATABASE']! };
}

/** Somebody who has nothing to do with leases. */
async function makeStranger(): Promise<{ user: string; password: string; database: string }> {
  await setting.ask("CREATE ROLE stranger LOGIN PASSWORD 'its own'");
  return { user: 'stranger', password: 'its own', database: DATABASE };
}

async function makeSuperuser(): Promise<void> {
  await setting.ask(`ALTER ROLE ${escapeIdentifier(ORCHESTRATOR)} SUPERUSER`);
}

async function expectWhole({ client }: Arrival): Promise<void> {
  expect((await (await client).query('SELECT session_user::text AS me')).rows).toEqual([{ me: 'stranger' }]);
}

test('a holder who resists loses role and sessions, and the owner gets all it made', async () => {
  const end = await endHostileHolder(setting, 'reassign');

  expectGone(end);
  const kinds = ['function', 'large object', 'relation', 'schema', 'type'];
  const expected = kinds.map((kind) => ({ kind, owner: OWNER }));
  expect(end.left).toEqual([...expected, ...expected]);
});

test('a holder who resists loses role and sessions, and nothing it made is left', async () => {
  const end = await endHostileHolder(setting, 'drop');

  expectGone(end);
  expect(end.left).toEqual([]);
});

const ALL_LOCKS = 'SELECT pg_advisory_lock(i) FROM generate_series(1, 1000000) i';

test('a holder who takes all memory for locks goes as soon as its process is ended, and need not be given the right', async () => {
  const lease = setting.open().lease();
  const holder = await connectWith(await lease.provision());
  await expect(holder.query(ALL_LOCKS)).rejects.toMatchObject({ code: '53200' });
  await expect(lease.deprovision()).rejects.toMatchObject({
    type: 'Unavailable',
    message: expect.stringContaining('end the session that took it'),
  });
  expect((await holder.query('SELECT 1 AS works')).rows).toEqual([{ works: 1 }]);

  const { processID } = holder as Client & { readonly processID: number };
  process.kill(processID, 'SIGTERM');
  // It says goodbye before it gives back what it holds.
  await eventually(
    async () => (await lease.deprovision().catch(() => null))?.result === 'removed',
    'the role to be removed',
  );
  await expect(holder.query('SELECT 1')).rejects.toThrow();

  const page = await readFile(join(projectRoot(), 'docs/integrations/postgresql.md'), 'utf8');
  const [, prevention = ''] = /```sql\n(REVOKE EXECUTE ON FUNCTION\n[^`]*)```/.exec(page) ?? [];
  await setting.ask(prevention, DATABASE);
  const other = setting.open().lease();
  const next = await connectWith(await other.provision());
  for (const name of ['pg_advisory_lock', 'pg_try_advisory_lock', 'pg_advisory_xact_lock_shared']) {
    await expect(next.query(`SELECT ${name}(1)`)).rejects.toMatchObject({ code: '42501' });
  }
  await next.end();
  expect(await other.deprovision()).toEqual({ result: 'removed' });
});

test('a holder who keeps hold of its own role without any session loses it all the same', async () => {
  const lease = setting.open().lease();
  const holder = await connectWith(await lease.provision());
  await holder.query("BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'another'");
  await holder.query("PREPARE TRANSACTION 'for ever'");

  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  await expect(holder.query('SELECT 1')).rejects.toThrow();
  expect(await setting.ask('SELECT gid FROM pg_prepared_xacts')).toEqual([]);
});

test('a holder whose role somebody else keeps from being changed has no session and no group any more, and that session is named', async () => {
  const lease = setting.open().lease({ roles: [READERS], owned: 'drop' });
  const holder = await connectWith(await lease.provision());
  await holder.query(
    `CREATE FUNCTION public.again() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
     AS $$ BEGIN EXECUTE 'ALTER ROLE CURRENT_USER PASSWORD ''mine'''; END $$`,
  );
  const accomplice = await connectAs(setting.server, await makeStranger());
  const { rows } = await accomplice.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  await accomplice.query('BEGIN; SELECT public.again()');

  await expect(lease.deprovision()).rejects.toMatchObject({
    type: 'Unavailable',
    message: expect.stringContaining(`end session ${String(rows[0]?.pid)} of stranger`),
  });
  await expect(holder.query('SELECT 1')).rejects.toThrow();
  const groups = `SELECT FROM pg_auth_members WHERE member = '"${lease.role}"'::regrole`;
  expect(await setting.ask(groups)).toEqual([]);

  await accomplice.end();
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
});

test('a holder whose session the server does not show yet loses it all the same', async () => {
  const lease = setting.open().lease();
  const made = await lease.provision();
  const arrival = await arriveUnseen(setting, loginOf(made), 15, READERS);

  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  await expect(arrival.client.then((client) => client.query('SELECT 1'))).rejects.toThrow();
  expect(await countUnseen(setting)).toBe(0);
});

test('whom the server does not show yet and who is not the holder is neither cut off nor waited for', async () => {
  const lease = setting.open().lease();
  await lease.provision();
  const stranger = await arriveUnseen(setting, await makeStranger(), 6);

  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  expect(await countUnseen(setting)).toBe(1);
  await expectWhole(stranger);
});

test('an orchestrator that may end every session ends none that is just starting', async () => {
  await makeSuperuser();
  const lease = setting.open().lease();
  await lease.provision();
  const stranger = await arriveUnseen(setting, await makeStranger(), 1);

  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  await expectWhole(stranger);
});

test.each([
  ['of no power', () => Promise.resolve()],
  ['that may end every session', makeSuperuser],
])(
  'whom the server is still asking for a password may take its time, before an orchestrator %s',
  async (_, empower) => {
    await empower();
    const lease = setting.open().lease();
    const holder = await arriveSlowly(setting, loginOf(await lease.provision()));
    const stranger = await arriveSlowly(setting, await makeStranger());

    expect(await lease.deprovision()).toEqual({ result: 'removed' });
    holder.answer();
    stranger.answer();
    await expect(holder.client).rejects.toMatchObject({ code: '28000' });
    await expectWhole(stranger);
  },
);

test('what a holder prepares while its last session ends is rolled back, too', async () => {
  const lease = setting.open().lease();
  const made = await lease.provision();
  const admin = await setting.admin();
  await admin.query(`BEGIN; SELECT FROM pg_authid WHERE rolname = '${lease.role}' FOR UPDATE`);
  const last: { holder?: Client; prepared?: Promise<unknown> } = {};
  const fence = createFakeFence(async (operation) => {
    if (operation !== 'EndSessions') return;
    last.prepared ??= last.holder!.query("PREPARE TRANSACTION 'at the last moment'");
    await last.prepared;
  });

  const removal = lease.deprovision({ fence });
  // Its sessions have been told to end by then, and it can still log in.
  while ((await setting.ask('SELECT FROM pg_locks WHERE NOT granted')).length === 0) await sleep(10);
  last.holder = await connectWith(made);
  await last.holder.query('BEGIN; CREATE TABLE public.late (a int)');
  await admin.query('ROLLBACK');

  expect(await removal).toEqual({ result: 'removed' });
  expect(last.prepared).toBeDefined();
  expect(await setting.ask('SELECT gid FROM pg_prepared_xacts')).toEqual([]);
});

test('the log of a server that logs every statement shows neither password', async () => {
  const { made } = await endHostileHolder(setting, 'drop');

  const log = await setting.log();
  expect(log.includes(`/* leasehold CreateRole ${made.credential['USER']!} */`)).toBe(true);
  expect(log.includes('SCRAM-SHA-256$4096:')).toBe(true);
  expect(log.includes(made.credential['PASSWORD']!)).toBe(false);
  expect(log.includes(setting.password)).toBe(false);
});
