import { readVariable } from '../config/environment';
import { errorCode } from '../cli/error-code';
import { PrerequisiteError } from './prerequisites';

/** How TLS is used, as in PostgreSQL's own URLs. */
export const TLS_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;

/** An administrator of a PostgreSQL server that somebody else runs. The URL holds the password. */
export interface PostgresAdmin {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly mode: (typeof TLS_MODES)[number]; readonly ca: string | null };
}

export const POSTGRES_URL = 'LEASEHOLD_DEV_POSTGRES_URL';
const SHAPE = 'postgresql://<user>:<password>@<host>:<port>/<database>';

/**
 * The server of one's own that the stack shall use; null: none is named.
 * @throws PrerequisiteError if what is named cannot be one. No part of it is told.
 */
export function namedPostgres(text = readVariable(POSTGRES_URL)): PostgresAdmin | null {
  if (text === undefined || text === '') return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === '' || url.username === '') {
    throw new PrerequisiteError(
      `${POSTGRES_URL} is no URL of a PostgreSQL server over TCP: write ${SHAPE}, or unset it.`,
    );
  }
  const written = url.searchParams.get('sslmode') ?? 'disable';
  const mode = TLS_MODES.find((known) => known === written);
  if (mode === undefined) {
    throw new PrerequisiteError(
      `${POSTGRES_URL} has an sslmode that is not known here. Allowed: ${TLS_MODES.join(', ')}.`,
    );
  }
  // Without it, each mode but "disable" means verify-full to our client, and not what it means to PostgreSQL's own tools.
  url.searchParams.set('uselibpqcompat', 'true');
  return {
    url: url.href,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port === '' ? '5432' : url.port),
    tls: { mode, ca: url.searchParams.get('sslrootcert') },
  };
}

/** The same administrator in another database. */
export function inDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

/** What went wrong at somebody's server, by its code: messages may repeat what was sent. */
export function cannotUse(error: unknown): PrerequisiteError {
  if (error instanceof PrerequisiteError) return error;
  const code = String(errorCode(error));
  const known = /^[A-Z0-9_]{3,40}$/.test(code) ? ` (${code})` : '';
  return new PrerequisiteError(`The PostgreSQL of ${POSTGRES_URL} cannot be used: ${reasonOf(code)}${known}.`);
}

function reasonOf(code: string): string {
  switch (code) {
    case '28P01':
    case '28000':
      return 'it refuses the user or the password of that URL';
    case '3D000':
      return 'it has no database of the name in that URL';
    case '42501':
      return 'the user of that URL needs CREATEROLE and CREATEDB';
    default:
      return 'it gave no usable answer';
  }
}
