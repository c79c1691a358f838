import type { IntegrationType } from '../integration';
import { connectLazily, loadClient } from '../lazy-client';
import { postgresqlConnection } from './connection';
import type { PostgresqlConnection } from './connection';
import { FIELDS } from './credential';
import { planRole } from './handle';
import { PACE } from './pace';
import { postgresqlParameters } from './parameters';
import type { PostgresqlParameters } from './parameters';

const load = () => loadClient('postgresql', () => import('./integration.js'));

/** One login role for each lease. */
export const postgresql: IntegrationType<PostgresqlConnection, PostgresqlParameters> = {
  type: 'postgresql',
  kind: 'PostgreSQL role',
  connection: postgresqlConnection,
  parameters: postgresqlParameters,
  fields: () => FIELDS,
  // PostgreSQL answers what is so. What was sent and not yet done takes effect within the pace's `validMs`, by its own guards.
  consistencyWindowMs: 2 * PACE.validMs,
  // It limits no rates, and a call takes it milliseconds. A removal is five of them, so that twenty roles go in a second.
  callsPerSecond: 100,
  plan: planRole,
  forReaders: ['host', 'port'],
  load,
  connect: (connection, deps) => connectLazily(async () => (await load()).connectPostgresql(connection, deps)),
};
