import { DatabaseError } from 'pg';
import type { ProviderErrorType } from '../../../workflows/contract';
import { IntegrationError } from '../integration';

/** What a statement was about, in our own words. */
export interface Subject {
  /** As in the comment that the statement begins with, e.g. `CreateRole`. */
  readonly operation: string;
  readonly entity?: string;
}

/** What a guard raises: see guard.ts. Nothing else that Leasehold sends divides. */
export const GUARD_CODE = '22012';
/** A warning: a privilege was not passed on. */
export const NOT_GRANTED_CODE = '01007';
export const NOT_GRANTED =
  'The orchestrator may not pass on a privilege that the dynamic secret grants: it needs it WITH GRANT OPTION.';

const LOCKED = 'Other sessions hold locks on what the role owns. It is tried again.';
export const POOLER = "If a pooler such as pgbouncer stands in between, name the server's own address.";

/** SQLSTATEs, and their classes where a whole class means the same. */
const TYPES: ReadonlyMap<string, readonly [ProviderErrorType, string?]> = new Map<
  string,
  readonly [ProviderErrorType, string?]
>([
  ['28', ['Refused', "Check the orchestrator's user and password, and pg_hba.conf of the server."]],
  [
    '42501',
    [
      'Refused',
      'Grant the orchestrator what is listed in docs/integrations/postgresql.md, "What the orchestrator may do".',
    ],
  ],
  ['42704', ['NotFound']],
  ['3D000', ['InvalidInput', 'There is no such database: correct the settings or the parameters.']],
  ['3F000', ['InvalidInput', 'There is no such schema: correct the grants.']],
  ['42939', ['InvalidInput', 'PostgreSQL keeps this name for itself: change name_prefix.']],
  ['0LP01', ['InvalidInput', 'PostgreSQL does not grant this: look for a role that would become a member of itself.']],
  ['2BP01', ['Unavailable', 'Something depends on the role.']],
  ['53', ['Unavailable', 'The server is out of room.']],
  [
    '53200',
    [
      'Unavailable',
      'The server has no memory left for locks: raise its max_locks_per_transaction, or end the session that took it.',
    ],
  ],
  ['53300', ['Throttled', 'The server has no connection left: lower pool_size, or raise its max_connections.']],
  ['57014', ['Unavailable', 'The server gave the statement up because it took too long.']],
  ['57P03', ['Unavailable', 'The server is starting or shutting down.']],
  ['55P03', ['Unavailable', LOCKED]],
  ['25006', ['Unavailable', 'The server is read-only: name the primary.']],
  ['08P01', ['Unavailable', POOLER]],
  [GUARD_CODE, ['Unavailable', 'The role was changed meanwhile, or the statement came too late. It is tried again.']],
  ['22', ['InvalidInput']],
  ['42', ['InvalidInput', "Check the dynamic secret's parameters."]],
]);

const TLS_CODES =
  /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|EPROTO$)/;
const TLS_HINT =
  "The server's certificate or its TLS was not accepted: see tls of the integration (mode, ca_file, server_name).";
const NO_TLS = 'The server does not offer TLS: turn it on there, or set tls.mode to disable on a network that is safe.';

const NO_PROOF =
  "The server did not prove that it knows the orchestrator's password, or asked for it in an unknown way.";

/** Codes after which the same statement may simply be sent once more: another one was in its way. */
const COLLISIONS: readonly string[] = ['40001', '40P01', 'XX000'];

/**
 * Turns whatever `pg` threw into an error of ours. Only the SQLSTATE or Node's code is taken over: never a message, detail,
 * hint or query, since PostgreSQL repeats statements and values in those.
 */
export function toIntegrationError(error: unknown, subject: Subject): IntegrationError {
  if (error instanceof IntegrationError) return error;
  const code = readCode(error);
  const [type, hint] = code === undefined ? describeCodeless(error) : classify(code, error instanceof DatabaseError);
  return new IntegrationError(type, {
    ...subject,
    ...(code === undefined ? {} : { code }),
    ...(hint === undefined ? {} : { hint }),
  });
}

export function hasCode(error: unknown, ...codes: readonly string[]): error is IntegrationError {
  return error instanceof IntegrationError && error.facts.code !== undefined && codes.includes(error.facts.code);
}

export function isCollision(error: unknown): boolean {
  return hasCode(error, ...COLLISIONS);
}

/** The connection was ended, by whomever: perhaps long before the statement was sent. */
export function isConnectionLost(error: unknown): boolean {
  const code = readCode(error);
  if (code === undefined) return readText(error, 'message')?.startsWith('Connection terminated') === true;
  return /^(?:57P01|57P02|57P05|ECONNRESET|EPIPE)$/.test(code);
}

/** The server itself answered that it did not do what was asked: every text that changes is one transaction. */
export function isDefiniteRefusal(error: unknown): boolean {
  if (!(error instanceof DatabaseError) || error.code === undefined) return false;
  // Said of the connection, perhaps after the commit.
  return !/^(?:57P|58|08|XX)/.test(error.code);
}

function classify(code: string, fromServer: boolean): readonly [ProviderErrorType, string?] {
  if (fromServer) return TYPES.get(code) ?? TYPES.get(code.slice(0, 2)) ?? ['Unavailable'];
  return ['Unavailable', TLS_CODES.test(code) ? TLS_HINT : 'Check host, port and the network if it lasts.'];
}

/** Errors that `pg` makes itself carry no code. Their texts are fixed, and are compared, never repeated. */
function describeCodeless(error: unknown): readonly [ProviderErrorType, string?] {
  const message = readText(error, 'message') ?? '';
  if (message === 'The server does not support SSL connections') return ['Refused', NO_TLS];
  if (message.startsWith('SASL:')) return ['Refused', NO_PROOF];
  return ['Unavailable', 'The connection failed. Check host, port and the network if it lasts.'];
}

function readCode(error: unknown): string | undefined {
  const code = readText(error, 'code');
  return code !== undefined && /^[A-Z0-9_]{3,40}$/.test(code) ? code : undefined;
}

function readText(error: unknown, key: 'code' | 'message'): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const text = (error as Record<string, unknown>)[key];
  return typeof text === 'string' ? text : undefined;
}
