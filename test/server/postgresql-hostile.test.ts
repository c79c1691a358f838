import { endHostileHolder } from '../support/postgres-hostile';
import type { HostileEnd } from '../support/postgres-hostile';
import { connectWith, openPostgresSetting, OWNER } from '../support/postgres-setting';
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

test('a holder who keeps hold of its own role without any session loses it all the same', async () => {
  const lease = setting.open().lease();
  const holder = await connectWith(await lease.provision());
  await holder.query("BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'another'");
  await holder.query("PREPARE TRANSACTION 'for ever'");

  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  await expect(holder.query('SELECT 1')).rejects.toThrow();
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
