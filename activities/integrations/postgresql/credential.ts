import type { Made } from '../integration';
import type { PostgresqlConnection } from './connection';
import type { Estate } from './handle';
import type { PostgresqlParameters } from './parameters';

/** The names of what a holder gets. */
export const FIELDS = ['URL', 'HOST', 'PORT', 'DATABASE', 'USER', 'PASSWORD'] as const;

export interface Leased {
  readonly role: string;
  readonly password: string;
  readonly database: string;
  readonly parameters: PostgresqlParameters;
  readonly estate: Estate;
}

const COPIED = 'What was read or copied while the lease lived cannot be recalled.';
const PLANTED =
  'What the holder made is kept. Functions with SECURITY DEFINER and triggers among it run with the rights of the new owner: ' +
  'review them before you rely on them.';
const IN_ANOTHERS_NAME =
  'The holder acts as another role: what it makes, grants or changes in that name stays when the lease ends.';

/** What the holder is handed, and what is said of it in the open. */
export function describeCredential(
  connection: PostgresqlConnection,
  { role, password, database, parameters, estate }: Leased,
): Made {
  const host = connection.public_host ?? connection.host;
  const port = String(connection.public_port ?? connection.port);
  const sslmode = connection.public_sslmode ?? connection.tls.mode;
  return {
    credential: {
      URL: urlOf({ role, password, host, port, database, sslmode }),
      HOST: host,
      PORT: port,
      DATABASE: database,
      USER: role,
      PASSWORD: password,
    },
    open: ['HOST', 'PORT', 'DATABASE', 'USER'],
    // A role can log in as soon as the transaction that makes it is over.
    usableAt: new Date(),
    facts: { role, database, host, port },
    notes: [
      COPIED,
      ...(estate.owned === 'reassign' ? [PLANTED] : []),
      ...(parameters.set_role === undefined ? [] : [IN_ANOTHERS_NAME]),
    ],
  };
}

interface Address {
  readonly role: string;
  readonly password: string;
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly sslmode: string;
}

function urlOf({ role, password, host, port, database, sslmode }: Address): string {
  const place = host.includes(':') ? `[${encodeURI(host)}]` : host;
  const login = `${encodeURIComponent(role)}:${encodeURIComponent(password)}`;
  return `postgresql://${login}@${place}:${port}/${encodeURIComponent(database)}?sslmode=${sslmode}`;
}
