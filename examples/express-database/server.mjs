// An Express app whose database login is leased from Leasehold. Nobody has to know a password, and none of them lives for long: the
// lease is extended while the app runs, replaced by another login before it ends for good, and revoked when the app stops.
//
//   npm install leasehold express pg
//   LEASEHOLD_HOST=https://leasehold.example.com LEASEHOLD_TOKEN=… node server.mjs
//
// It leases the dynamic secret DATABASE, of the type postgresql, and asks a table orders.
import { once } from 'node:events';
import express from 'express';
import { connectHttpLeases, keep } from 'leasehold/http';
import { createDatabase } from './database.mjs';

const {
  LEASEHOLD_HOST,
  LEASEHOLD_TOKEN,
  LEASEHOLD_SCOPE = 'backend/prd',
  LEASE_TTL = '1h',
  PORT = '3000',
} = process.env;
const [project, config] = LEASEHOLD_SCOPE.split('/');

const database = createDatabase();
const leases = connectHttpLeases({ url: LEASEHOLD_HOST, token: LEASEHOLD_TOKEN });
// Answers once the first login is in use. Fails if there is none: then the app does not start.
const kept = await keep(
  leases,
  { project, config, dynamicSecret: 'DATABASE', ttl: LEASE_TTL },
  {
    onCredential: async ({ credential }) => {
      await database.use(credential);
      console.log(`The database knows us as ${credential.USER}.`);
    },
    // It is tried again by itself, for as long as it takes.
    onError: (error) => console.error(`The login could not be renewed yet: ${error.message}`),
    // Of the login before, once nothing uses it any more.
    overlapMs: 1_000,
  },
);

const app = express();

app.get('/orders', async (request, response) => {
  const { rows } = await database.query('SELECT current_user AS role, count(*)::int AS orders FROM orders');
  response.json(rows[0]);
});

// For the balancer: whether the database answers, and how long the login is good for if it is never renewed again.
app.get('/healthz', async (request, response) => {
  const isWell = await database.query('SELECT 1').then(
    () => true,
    () => false,
  );
  response.status(isWell ? 200 : 503).json({ ok: isWell, login_until: kept.expiresAt });
});

const server = app.listen(Number(PORT));
await once(server, 'listening');
console.log(`Listening on port ${server.address().port}.`);

async function stop() {
  // First the requests that are under way, then their connections, then the login.
  server.close();
  await once(server, 'close');
  await database.close();
  await kept.close();
  console.log('The login is revoked.');
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    stop().catch((error) => {
      // The login ends by its TTL.
      console.error(error.message);
      process.exitCode = 1;
    });
  });
}
