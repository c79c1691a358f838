import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Submittable } from 'pg';
import { escapeIdentifier } from 'pg';
import { connectAs, connectWith, DATABASE, ORCHESTRATOR, OTHER_DATABASE, OWNER, READERS } from './postgres-setting';
import type { PostgresSetting } from './postgres-setting';
import type { Made, Removal } from '../../activities/integrations/integration';

const LOOPS = 6;
const DATABASES = [DATABASE, OTHER_DATABASE];
const CHANGED = 'chosenByTheHolder';

export interface HostileEnd {
  readonly removal: Removal;
  /** How long removal took, in milliseconds. */
  readonly tookMs: number;
  /** How often the loops logged in and made a table before that was over. */
  readonly logins: number;
  /** Sessions of the role, by its number. */
  readonly sessions: number;
  /** Roles of its name. */
  readonly roles: number;
  /** What is left of what the holder made, in both databases, with its owner. */
  readonly left: readonly { readonly kind: string; readonly owner: string }[];
  /** Whatever in the catalogues still points to the role's number. */
  readonly dangling: number;
  /** What was answered to whoever tried to log in after the end. */
  readonly refusal: unknown;
  readonly made: Made;
}

/**
 * A holder who defends what it has: six loops that reconnect, in two databases, and make tables; schemas, functions, default
 * privileges and large objects; a password of its own; a transaction that holds locks, one that holds the role itself, one that
 * is prepared if the server allows that, and a COPY that never ends. Its lease ends in the middle of all that.
 */
export async function endHostileHolder(setting: PostgresSetting, owned: 'reassign' | 'drop'): Promise<HostileEnd> {
  const lease = setting.open().lease({
    roles: [READERS],
    connection_limit: 100,
    ...(owned === 'drop' ? { owned } : { owned, owner: OWNER }),
  });
  const made = await lease.provision();
  const [role] = await setting.ask<{ oid: number }>(`SELECT oid FROM pg_roles WHERE rolname = '${lease.role}'`);
  const oid = role!.oid;
  await takePossession(made);
  await prepare(setting, made);
  const idle = await Promise.all([holdTransaction(made), holdRole(made), holdCopy(made)]);
  const loops = startLoops(made);
  while (loops.logins() < 3 * LOOPS) await sleep(10);

  const began = performance.now();
  const removal = await lease.deprovision();
  const tookMs = performance.now() - began;
  const logins = loops.logins();
  await loops.stop();
  await Promise.all(idle.map((client) => client.end().catch(() => undefined)));

  const count = async (sql: string): Promise<number> => (await setting.ask<{ n: number }>(sql))[0]!.n;
  return {
    removal,
    tookMs,
    logins,
    sessions: await count(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE usesysid = ${oid}`),
    roles: await count(`SELECT count(*)::int AS n FROM pg_roles WHERE rolname = '${lease.role}'`),
    left: (await Promise.all(DATABASES.map((database) => findLeft(setting, database)))).flat(),
    dangling: await count(`SELECT count(*)::int AS n FROM pg_shdepend WHERE refobjid = ${oid}`),
    refusal: await connectHostile(made, DATABASE).then(
      () => 'let in',
      (error: unknown) => (error as { code?: unknown }).code,
    ),
    made,
  };
}

/** With the password that the holder gave itself. */
function connectHostile({ credential }: Made, database: string): Promise<Client> {
  const { HOST: host, PORT: port, USER: user } = credential;
  return connectAs({ host: host!, port: Number(port) }, { user: user!, password: CHANGED, database });
}

async function takePossession(made: Made): Promise<void> {
  const first = await connectWith(made);
  await first.query(`ALTER ROLE CURRENT_USER PASSWORD '${CHANGED}'`);
  await first.end();
  for (const database of DATABASES) {
    const client = await connectHostile(made, database);
    for (const sql of [
      'CREATE SCHEMA lair',
      "CREATE TYPE lair.mood AS ENUM ('bad')",
      'CREATE TABLE lair.nest (id serial PRIMARY KEY, mood lair.mood)',
      'CREATE VIEW lair.window AS SELECT * FROM lair.nest',
      "CREATE FUNCTION lair.stay() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
      // What would run with the orchestrator's rights if it looked names up in the schema where everybody may write.
      "CREATE FUNCTION public.shobj_description(oid, text) RETURNS text LANGUAGE sql AS 'SELECT ''hijacked''::text'",
      'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC',
      `ALTER DEFAULT PRIVILEGES IN SCHEMA lair GRANT EXECUTE ON FUNCTIONS TO ${escapeIdentifier(READERS)}`,
      'GRANT USAGE ON SCHEMA lair TO PUBLIC',
      `GRANT SELECT ON lair.nest TO ${escapeIdentifier(READERS)}`,
      'SELECT lo_create(0), lo_create(0), lo_create(0)',
    ]) {
      await client.query(sql);
    }
    await client.end();
  }
}

async function holdTransaction(made: Made): Promise<Client> {
  const client = await connectHostile(made, DATABASE);
  await client.query('BEGIN; LOCK TABLE lair.nest IN ACCESS EXCLUSIVE MODE; CREATE TABLE lair.unfinished (a int)');
  return client;
}

/** Whoever wants to change the role waits until this is over. */
async function holdRole(made: Made): Promise<Client> {
  const client = await connectHostile(made, DATABASE);
  await client.query(`BEGIN; ALTER ROLE CURRENT_USER PASSWORD '${CHANGED}'; SAVEPOINT changed`);
  // Before PostgreSQL 15 it may, and then nobody else can make the orchestrator a member.
  await client
    .query(`GRANT "${made.credential['USER']!}" TO ${escapeIdentifier(ORCHESTRATOR)}`)
    .catch(() => client.query('ROLLBACK TO changed'));
  return client;
}

/** A COPY whose data never comes: `pg` itself would end it at once. */
async function holdCopy(made: Made): Promise<Client> {
  const client = await connectHostile(made, OTHER_DATABASE);
  await new Promise<void>((resolve, reject) => {
    const copy: Submittable & Record<string, unknown> = {
      submit: (connection) => {
        (connection as unknown as { query(sql: string): void }).query('COPY lair.nest FROM STDIN');
      },
      handleCopyInResponse: () => {
        resolve();
      },
      handleError: reject,
      handleReadyForQuery: () => undefined,
    };
    client.query(copy);
  });
  return client;
}

async function prepare(setting: PostgresSetting, made: Made): Promise<void> {
  const [allowed] = await setting.ask<{ max: number }>(
    "SELECT current_setting('max_prepared_transactions')::int AS max",
  );
  if (allowed!.max === 0) return;
  const client = await connectHostile(made, OTHER_DATABASE);
  await client.query('BEGIN; CREATE TABLE public.prepared (a int)');
  await client.query("PREPARE TRANSACTION 'it''s mine'");
  await client.end();
}

interface Loops {
  logins(): number;
  stop(): Promise<void>;
}

function startLoops(made: Made): Loops {
  let logins = 0;
  let stopped = false;
  const loop = async (nth: number): Promise<void> => {
    for (let round = 0; !stopped; round += 1) {
      try {
        const client = await connectHostile(made, DATABASES[(nth + round) % DATABASES.length]!);
        try {
          await client.query(`CREATE TABLE public.loop_${nth}_${round} (a serial)`);
          logins += 1;
          await client.query('SELECT pg_sleep(0.05)');
        } finally {
          client.end().catch(() => undefined);
        }
      } catch {
        await sleep(2);
      }
    }
  };
  const loops = Array.from({ length: LOOPS }, (_, nth) => loop(nth));
  return {
    logins: () => logins,
    stop: async () => {
      stopped = true;
      await Promise.all(loops);
    },
  };
}

async function findLeft(setting: PostgresSetting, database: string) {
  return setting.ask<{ kind: string; owner: string }>(
    'SELECT DISTINCT kind, pg_get_userbyid(owner) AS owner FROM (' +
      "SELECT 'schema' AS kind, nspowner AS owner FROM pg_namespace WHERE nspname = 'lair' " +
      "UNION ALL SELECT 'type', typowner FROM pg_type WHERE typname = 'mood' " +
      "UNION ALL SELECT 'relation', relowner FROM pg_class WHERE relname ~ '^(nest|window|loop_|unfinished|prepared)' " +
      "UNION ALL SELECT 'function', proowner FROM pg_proc WHERE proname = 'stay' OR " +
      "(proname = 'shobj_description' AND pronamespace = 'public'::regnamespace) " +
      "UNION ALL SELECT 'large object', lomowner FROM pg_largeobject_metadata " +
      "UNION ALL SELECT 'default privileges', defaclrole FROM pg_default_acl) x ORDER BY 1",
    database,
  );
}
