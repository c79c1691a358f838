import type { Client } from 'pg';
import { escapeIdentifier, escapeLiteral } from 'pg';
import type { Lease } from '../../client/leases';
import { writeComment } from '../../activities/integrations/postgresql/mark';
import { describeConformance } from '../integrations/conformance';
import type { Bench, BenchOptions, SeenCall } from '../integrations/subject';
import { kindFaults } from '../support/kind-faults';
import { INTEGRATION, openPostgresLab, REQUEST } from '../support/postgres-lab';
import type { PostgresCall } from '../support/postgres-proxy';
import {
  connectAs,
  connectWith,
  DATABASE,
  ORCHESTRATOR,
  OTHER_DATABASE,
  OWNER,
  READERS,
} from '../support/postgres-setting';
import type { PostgresSetting } from '../support/postgres-setting';

const FAULTS = kindFaults({
  refused: { code: '42501' },
  'quota exceeded': { code: '53400' },
  'called invalid': { code: '22023' },
});

const DATABASES = [DATABASE, OTHER_DATABASE];

describeConformance({ name: 'PostgreSQL', open: openBench });

/** A role of a lease here owns something in two databases and has a session open when the lease ends. */
async function openBench({ timings, slots, echo }: BenchOptions): Promise<Bench> {
  const lab = await openPostgresLab({
    echo,
    timings,
    settings: { max_connections: '600' },
    limits: { provisions: slots, deprovisions: slots },
    // Every call that hangs, or is held, has a connection to itself.
    poolSize: Math.min(2 * slots, 100),
    parameters: { connection_limit: 30 },
  });
  const { setting, proxy } = lab;
  const sessions: Client[] = [];
  const aliens = new Set<string>();
  const rolesOf = async (leaseId: string, also = '') => {
    const roles = await setting.ask<{ name: string; expiry: Date | null }>(
      'SELECT rolname AS name, CASE WHEN isfinite(rolvaliduntil) THEN rolvaliduntil END AS expiry ' +
        `FROM pg_authid WHERE rolname LIKE ${escapeLiteral(`%${leaseId}%`)} ${also}`,
    );
    return roles.filter(({ name }) => !aliens.has(name));
  };
  return {
    lab: {
      ...lab,
      leases: {
        ...lab.leases,
        issue: async (request) => {
          const lease = await lab.leases.issue(request);
          sessions.push(await settleIn(lease));
          return lease;
        },
      },
    },
    request: REQUEST,
    integration: INTEGRATION,
    secrets: [setting.password],
    calls: (leaseId) => proxy.calls.filter(({ entity }) => entity?.includes(leaseId)).map(describeCall),
    fail: (leaseId, { operation, kind, nth = 1, times = 1 }) => {
      proxy.fault({ ...FAULTS[kind], operation, nth, times, entity: leaseId });
    },
    recover: (leaseId) => {
      proxy.clearFaults(leaseId);
    },
    setAway: (away) => {
      proxy.setAway(away);
    },
    onDone: (hook) => {
      proxy.setOnCall(async (_, phase, call) => {
        if (phase === 'body') await hook((leaseId) => call.entity?.includes(leaseId) === true, describeCall(call));
      });
    },
    otherParameters: { roles: [READERS, OWNER], owned: 'drop', connection_limit: 40 },
    expiry: async (leaseId) => (await rolesOf(leaseId))[0]?.expiry ?? null,
    entities: async (leaseId) => (await rolesOf(leaseId)).map(({ name }) => name),
    credentials: async (leaseId) => (await rolesOf(leaseId, 'AND rolcanlogin AND rolpassword IS NOT NULL')).length,
    works,
    secretsOf: (credential) => [credential['PASSWORD']!],
    makeLate: (name, mark) => makeRole(setting, name, writeComment(mark, new Date(), { owned: 'drop' })),
    makeAlien: async (name) => {
      aliens.add(name);
      await makeRole(setting, name, 'of somebody else');
      return {
        isWhole: async () =>
          (
            await setting.ask(
              "SELECT FROM pg_authid WHERE rolcanlogin AND rolpassword IS NOT NULL AND shobj_description(oid, 'pg_authid') = " +
                `'of somebody else' AND rolname = ${escapeLiteral(name)}`,
            )
          ).length === 1,
        remove: async () => {
          await setting.ask(`DROP ROLE ${escapeIdentifier(name)}`);
          aliens.delete(name);
        },
      };
    },
    removeCredential: async (leaseId) => {
      for (const { name } of await rolesOf(leaseId)) await setting.ask(`ALTER ROLE ${escapeIdentifier(name)} NOLOGIN`);
    },
    removeEntity: async (leaseId) => {
      for (const { name } of await rolesOf(leaseId)) await removeRole(setting, name);
    },
    close: async () => {
      await Promise.all(sessions.map((session) => session.end().catch(() => undefined)));
      const unnamed = proxy.calls.filter(({ operation }) => operation === 'unnamed').map(({ sent }) => sent);
      await lab.close();
      expect(unnamed).toEqual([]);
    },
  };
}

/** Makes itself at home as the holder of a lease. Answers a session that stays. */
async function settleIn(lease: Lease): Promise<Client> {
  for (const database of DATABASES) {
    const client = await connectWith(lease, database);
    // Others who were handed the same lease may do so at the same time.
    await client.query('BEGIN; SELECT pg_advisory_xact_lock(1)');
    await client.query(`CREATE TABLE IF NOT EXISTS ${escapeIdentifier(`notes-${lease.leaseId}`)} (text text); COMMIT`);
    await client.end();
  }
  return connectWith(lease);
}

async function works(credential: Readonly<Record<string, string>>): Promise<boolean> {
  try {
    const client = await connectWith({ credential });
    await client.query('SELECT 1');
    await client.end();
    return true;
  } catch {
    return false;
  }
}

/** As the orchestrator, which may change only roles that it made. Of one that is there the password and the comment change. */
async function makeRole({ server, password }: PostgresSetting, name: string, comment: string): Promise<void> {
  const role = escapeIdentifier(name);
  const client = await connectAs(server, { user: ORCHESTRATOR, password, database: DATABASE });
  try {
    const { rowCount } = await client.query(`SELECT FROM pg_roles WHERE rolname = ${escapeLiteral(name)}`);
    await client.query(
      `${rowCount === 0 ? 'CREATE' : 'ALTER'} ROLE ${role} LOGIN PASSWORD 'not the lease''s'; ` +
        `COMMENT ON ROLE ${role} IS ${escapeLiteral(comment)}`,
    );
  } finally {
    await client.end();
  }
}

async function removeRole(setting: PostgresSetting, name: string): Promise<void> {
  const role = escapeIdentifier(name);
  await setting.ask(`ALTER ROLE ${role} NOLOGIN`);
  await setting.ask(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ${escapeLiteral(name)}`);
  for (const database of DATABASES) await setting.ask(`DROP OWNED BY ${role}`, database);
  await setting.ask(`DROP ROLE ${role}`);
}

function describeCall({ operation, sent, fault }: PostgresCall): SeenCall {
  const changes = !/^(?:LookUp|Find|List|Read|Check)/.test(operation);
  const makes = operation === 'CreateRole' || operation === 'SetPassword';
  return { operation, effect: makes ? 'credential' : changes ? 'change' : 'none', faulty: fault !== null, sent };
}
