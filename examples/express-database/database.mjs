// A pool of connections to PostgreSQL whose login can be changed while it is in use.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export function createDatabase() {
  let pool;
  return {
    /** From now on connections are opened with this credential. Done once nothing uses the one before any more. */
    async use({ URL: connectionString }) {
      const old = pool;
      const next = new pg.Pool({
        connectionString,
        max: 5,
        connectionTimeoutMillis: 5_000,
        // So that the pool before can always be emptied: no query holds a connection for longer.
        query_timeout: 20_000,
        allowExitOnIdle: true,
      });
      // A connection that nobody uses can be lost at any time: the next query opens another one.
      next.on('error', (error) => console.warn(`A connection was lost: ${error.message}`));
      try {
        // Before anything depends on it. If this fails, the new lease is revoked, the old one kept, and another one made.
        await next.query('SELECT 1');
      } catch (error) {
        await next.end();
        throw error;
      }
      pool = next;
      if (old !== undefined) await drain(old);
    },
    query: (text, values) => pool.query(text, values),
    close: () => pool.end(),
  };
}

/** Lets all that was asked of a pool be answered, and closes its connections. */
async function drain(pool) {
  // end() waits for queries that have a connection, and forgets those that still wait for one.
  while (pool.waitingCount > 0) await sleep(20);
  await pool.end();
}
