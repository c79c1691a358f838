import { Client, escapeLiteral } from 'pg';
import { errorCode } from '../cli/error-code';

const CONNECT_WITHIN_MS = 5_000;

/** `ok`, or the code with which the server refused. */
export type QueryResult = string;

/** A session that stays open, and what became of it. */
export interface OpenSession {
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Settles when it is over, whoever ends it: when, and with which code if it was the server. */
  readonly cut: Promise<{ readonly at: Date; readonly code: string | null }>;
  close(): Promise<void>;
}

/** Logs in by a URL and stays. */
export async function openSession(url: string): Promise<OpenSession> {
  const client = newClient(url);
  let code: string | null = null;
  client.on('error', (error: unknown) => {
    code ??= codeOf(error);
  });
  const cut = new Promise<void>((resolve) => {
    client.once('end', resolve);
  }).then(() => ({ at: new Date(), code }));
  await client.connect();
  return {
    query: async (sql) => (await client.query<Record<string, unknown>>(sql)).rows,
    cut,
    close: () => client.end(),
  };
}

/** Logs in, makes one query and leaves. */
export async function tryQuery(url: string, sql: string): Promise<QueryResult> {
  const client = newClient(url);
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(sql);
    return 'ok';
  } catch (error) {
    return codeOf(error);
  } finally {
    await client.end();
  }
}

/** Which role there is of that name, as an administrator sees it; null: none. The number stays that of its sessions. */
export async function roleNumber(admin: OpenSession, name: string): Promise<number | null> {
  const [row] = await admin.query(`SELECT oid::int4 AS number FROM pg_roles WHERE rolname = ${escapeLiteral(name)}`);
  return row === undefined ? null : Number(row['number']);
}

/** How many sessions a role has, also one that is no more. */
export async function sessionsOf(admin: OpenSession, role: number): Promise<number> {
  const [row] = await admin.query(`SELECT count(*) AS sessions FROM pg_stat_activity WHERE usesysid = ${role}`);
  return Number(row?.['sessions']);
}

function newClient(url: string): Client {
  return new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_WITHIN_MS });
}

/** A code of PostgreSQL or of the system; both are short and hold nothing that was sent. */
function codeOf(error: unknown): string {
  const code = errorCode(error);
  return typeof code === 'string' ? code : 'no answer';
}
