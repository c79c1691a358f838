import { escapeLiteral } from 'pg';
import { createPool } from '../integrations/pool';
import { eventually } from '../support/base-lab';
import { openPostgresLab, REQUEST } from '../support/postgres-lab';
import type { PostgresLab } from '../support/postgres-lab';
import { connectWith, DATABASE, ORCHESTRATOR, OWNER } from '../support/postgres-setting';

const LEASES = Number(process.env['LEASEHOLD_TEST_LEASES'] ?? 3_000);
/** Who issues, and who revokes, at the same time. A busy machine keeps each waiting, so that the time-outs below are long. */
const CALLERS = 50;
const POOL_SIZE = 10;
/** Of each so many leases one logs in and makes a table. */
const HOLDERS_OF = 20;
const LONG_MS = 1_800_000;

let lab: PostgresLab;
let connections = 0;

beforeAll(async () => {
  lab = await openPostgresLab({
    poolSize: POOL_SIZE,
    limits: { provisions: CALLERS, deprovisions: CALLERS },
    timings: { issue_timeout: '10m', attempt_timeout: '1m', stuck_after: '10m' },
  });
  lab.proxy.setOnCall(() => {
    connections = Math.max(connections, lab.proxy.connections());
  });
}, 60_000);

afterAll(() => lab.close(), 60_000);

async function count(from: string): Promise<number> {
  const [row] = await lab.setting.ask<{ n: number }>(`SELECT count(*)::int AS n FROM ${from}`);
  return row!.n;
}

const ROLES = `pg_roles WHERE rolname LIKE 'leasehold-%'`;

test(
  `${LEASES} leases live on one database at once, and end with nothing left of any`,
  async () => {
    const before = await count('pg_shdepend');
    const memberships = await count('pg_auth_members');
    const worker = await lab.startWorker();
    const pool = createPool(CALLERS);
    const issueOne = () => lab.leases.issue({ ...REQUEST, holder: 'tester', ttl: '1h', timeoutMs: 660_000 });

    const leases = await Promise.all(Array.from({ length: LEASES }, () => pool(issueOne)));
    expect(new Set(leases.map(({ leaseId }) => leaseId)).size).toBe(LEASES);
    expect(await count(`${ROLES} AND rolcanlogin`)).toBe(LEASES);

    const holders = leases.filter((_, nth) => nth % HOLDERS_OF === 0);
    const sessions = await Promise.all(
      holders.map((lease, nth) =>
        pool(async () => {
          const client = await connectWith(lease);
          await client.query(`CREATE TABLE made_${nth} (a int)`);
          // Some stay until they are cut off, and leave the rest of the server's connections to the others.
          if (nth % 3 !== 0) await client.end();
          return client;
        }),
      ),
    );

    await Promise.all(leases.map((lease) => pool(() => lease.revoke())));
    const outcomes = await Promise.all(leases.map(({ leaseId }) => pool(() => lab.outcome(leaseId))));
    expect(outcomes.filter(({ state }) => state !== 'revoked')).toEqual([]);

    expect(await count(ROLES)).toBe(0);
    expect(await count('pg_auth_members')).toBe(memberships);
    // What the holders made is the owner's now, and nothing of it hangs on anybody else.
    const owned = `pg_tables WHERE tablename LIKE 'made_%' AND tableowner = ${escapeLiteral(OWNER)}`;
    const [tables] = await lab.setting.ask<{ n: number }>(`SELECT count(*)::int AS n FROM ${owned}`, DATABASE);
    expect(tables!.n).toBe(holders.length);
    expect(await count('pg_shdepend')).toBe(before + holders.length);
    await Promise.all(sessions.map((session) => session.end().catch(() => undefined)));

    // One pool for each of the queues for provisions, removals and upkeep.
    expect(connections).toBeLessThanOrEqual(3 * POOL_SIZE);
    expect(await worker.stop()).toBe(0);
    const orchestrators = `pg_stat_activity WHERE usename = ${escapeLiteral(ORCHESTRATOR)}`;
    await eventually(async () => (await count(orchestrators)) === 0, 'the sessions of the worker to end');
  },
  LONG_MS,
);
