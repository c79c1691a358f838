import { escapeLiteral } from 'pg';
import { createPool } from '../integrations/pool';
import { describeIf } from '../support/describe-if';
import { arriveUnseen } from '../support/postgres-arrival';
import { endHostileHolder } from '../support/postgres-hostile';
import { openPostgresLab, REQUEST } from '../support/postgres-lab';
import type { PostgresLab } from '../support/postgres-lab';
import { connectWith, openPostgresSetting, OTHER_DATABASE, OWNER, READERS } from '../support/postgres-setting';
import type { PostgresSetting } from '../support/postgres-setting';
import { findPostgresVersions } from '../support/postgres-versions';

jest.setTimeout(120_000);

const EXTENDED_MS = 45 * 60_000;

for (const { version, binaries, missing } of findPostgresVersions()) {
  describeIf(missing, `on PostgreSQL ${version}`, () => {
    describe('a lease', () => {
      let lab: PostgresLab;

      beforeAll(async () => {
        lab = await openPostgresLab({ binaries });
        await lab.startWorker();
      });

      afterAll(() => lab.close());

      async function rolesOf(leaseId: string) {
        return lab.setting.ask<{ expiry: Date; version: number }>(
          "SELECT rolvaliduntil AS expiry, current_setting('server_version_num')::int / 10000 AS version " +
            `FROM pg_roles WHERE rolname LIKE '%${leaseId}'`,
        );
      }

      test('is issued, logs in, is extended and ends, and what its holder made is the owner’s', async () => {
        const lease = await lab.leases.issue({ ...REQUEST, holder: 'tester', ttl: '10m' });
        expect(await rolesOf(lease.leaseId)).toMatchObject([{ version }]);
        const session = await connectWith(lease);
        const other = await connectWith(lease, OTHER_DATABASE);
        await other.query('CREATE TABLE made (a int)');

        await lease.extend('45m');
        const [role] = await rolesOf(lease.leaseId);
        expect(role!.expiry.getTime()).toBeGreaterThan(Date.now() + EXTENDED_MS - 60_000);

        await lease.revoke();
        expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked' });
        expect(await rolesOf(lease.leaseId)).toEqual([]);
        for (const client of [session, other]) {
          await expect(client.query('SELECT 1')).rejects.toBeInstanceOf(Error);
          await client.end().catch(() => undefined);
        }
        await expect(connectWith(lease)).rejects.toMatchObject({ code: '28P01' });
        const tables = "SELECT tableowner AS owner FROM pg_tables WHERE tablename = 'made'";
        expect(await lab.setting.ask(tables, OTHER_DATABASE)).toEqual([{ owner: OWNER }]);
      });

      test('is issued and ends beside 49 others', async () => {
        const pool = createPool(50);
        const leases = await Promise.all(
          Array.from({ length: 50 }, () => pool(() => lab.leases.issue({ ...REQUEST, holder: 'tester', ttl: '10m' }))),
        );
        await Promise.all(leases.map((lease) => lease.revoke()));
        for (const { leaseId } of leases) {
          expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
          expect(await rolesOf(leaseId)).toEqual([]);
        }
      });
    });

    describe('a holder who resists', () => {
      let setting: PostgresSetting;

      beforeEach(async () => {
        setting = await openPostgresSetting({ binaries, settings: { max_prepared_transactions: '5' } });
      });

      afterEach(() => setting.close());

      // Afterwards a role may not grant membership in itself.
      if (version < 15) {
        test('takes its rights with it from whomever it let act as itself', async () => {
          const [own, other] = [setting.open().lease(), setting.open().lease()];
          const holder = await connectWith(await own.provision());
          const another = await other.provision();
          const [locker, accomplice] = [await connectWith(another), await connectWith(another)];
          await holder.query(`CREATE TABLE kept (a int); GRANT "${own.role}" TO "${other.role}"`);
          await locker.query(`SET ROLE "${own.role}"; BEGIN; LOCK TABLE kept`);
          await accomplice.query(`SET ROLE "${own.role}"`);
          const belongs = `SELECT pg_has_role(current_user, ${escapeLiteral(READERS)}, 'MEMBER') AS belongs`;
          expect((await accomplice.query(belongs)).rows).toEqual([{ belongs: true }]);

          await expect(own.deprovision()).rejects.toMatchObject({ facts: { code: '55P03' } });
          expect((await accomplice.query(belongs)).rows).toEqual([{ belongs: false }]);

          expect(await other.deprovision()).toEqual({ result: 'removed' });
          expect(await own.deprovision()).toEqual({ result: 'removed' });
        });
      }

      test('loses a session that the server does not show yet', async () => {
        const lease = setting.open().lease();
        const { credential } = await lease.provision();
        const login = { user: credential['USER']!, password: credential['PASSWORD']!, database: OTHER_DATABASE };
        const arrival = await arriveUnseen(setting, login, 15, READERS);
        expect(await lease.deprovision()).toEqual({ result: 'removed' });
        await expect(arrival.client.then((client) => client.query('SELECT 1'))).rejects.toThrow();
      });

      test.each(['reassign', 'drop'] as const)('loses role and sessions: %s', async (owned) => {
        const end = await endHostileHolder(setting, owned);
        expect(end).toMatchObject({ removal: { result: 'removed' }, sessions: 0, roles: 0, dangling: 0 });
        expect(end.refusal).toBe('28P01');
        expect(end.logins).toBeGreaterThan(0);
        expect(new Set(end.left.map(({ owner }) => owner))).toEqual(new Set(owned === 'drop' ? [] : [OWNER]));
      });
    });
  });
}
