import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientConfig } from 'pg';
import { connectAs } from './postgres-setting';
import type { PostgresSetting } from './postgres-setting';

/** Somebody who is logging in. */
export interface Arrival {
  /** The session, once the server lets it speak. */
  readonly client: Promise<Client>;
}

type Login = Pick<ClientConfig, 'user' | 'password' | 'database'>;

/** Beyond any delay that a test asks for. */
const PATIENCE_MS = 25_000;

/**
 * Logs in and has the server wait before it says whose the session is. Answers once that is so.
 * @param role to act as from the first moment.
 */
export async function arriveUnseen(
  setting: PostgresSetting,
  login: Login,
  seconds: number,
  role = 'none',
): Promise<Arrival> {
  const before = await countUnseen(setting);
  const options = `-c role=${role.replaceAll(' ', '\\ ')} -c post_auth_delay=${seconds}`;
  const arrival = arrive(setting, { ...login, options });
  while ((await countUnseen(setting)) <= before) await sleep(20);
  return arrival;
}

/** Begins to log in, and is in no hurry when it is asked for its password. Answers once it is asked. */
export async function arriveSlowly(
  setting: PostgresSetting,
  { password, ...login }: Login & { readonly password: string },
): Promise<Arrival & { answer(): void }> {
  return new Promise((resolve) => {
    const arrival = arrive(setting, {
      ...login,
      password: () =>
        new Promise((give) => {
          resolve({
            ...arrival,
            answer: () => {
              give(password);
            },
          });
        }),
    });
  });
}

function arrive({ server }: PostgresSetting, login: Login & Pick<ClientConfig, 'options'>): Arrival {
  const client = connectAs(server, { ...login, connectionTimeoutMillis: PATIENCE_MS });
  // A test looks at it only later.
  client.catch(() => undefined);
  return { client };
}

/** How many were let into a database and are not shown as anybody's session yet. */
export async function countUnseen(setting: PostgresSetting): Promise<number> {
  const [row] = await setting.ask<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_database'::regclass " +
      'AND pid NOT IN (SELECT pid FROM pg_stat_activity WHERE usesysid IS NOT NULL)',
  );
  return row!.n;
}
