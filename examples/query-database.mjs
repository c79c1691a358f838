// A program that knows nothing of Leasehold: it finds the URL of its database in the environment, as every program does.
//
//   leasehold run -- node examples/query-database.mjs
import pg from 'pg';

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
const { rows } = await client.query('SELECT current_user AS role, count(*)::int AS orders FROM orders');
await client.end();
console.log(`The role ${rows[0].role} works: ${rows[0].orders} orders.`);
console.log(`It is gone after ${process.env.DATABASE_LEASE_EXPIRES_AT}.`);
