import { checkUrl, connectHttpLeases, LeaseError } from '../client/http';
import type { HttpLeases } from '../client/http';
import { apiVariables } from '../config/environment';
import { isLocal } from '../config/this-machine';
import type { AccessFlags, PlaceFlags } from './access-options';
import { AuthError, UsageError } from './exit';
import { keptToken } from './login/kept-token';
import { tellingWhose } from './login/refused-token';
import { tokenOfFile } from './login/token-file';
import { readSettings } from './settings';
import { warn } from './warn';

export interface Place {
  readonly project: string;
  readonly config: string;
}

/** Leases over HTTP as the flags, the environment and the settings say. Nothing is asked yet. */
export async function connect(flags: AccessFlags): Promise<HttpLeases> {
  const url = await findHost(flags);
  const { token, refused } = await findToken(flags, url);
  warnOfListeners(url);
  return connectHttpLeases({ url, token, fetch: tellingWhose(refused) });
}

/**
 * The API that is meant: the flag's, else LEASEHOLD_HOST, else where one has signed in last. Written as settings have it.
 * @throws UsageError if none is, or if it is no address.
 */
export async function findHost(flags: AccessFlags): Promise<string> {
  const { host: variable } = apiVariables();
  if (flags.host !== undefined) return readHost(flags.host, '--host');
  if (variable !== undefined) return readHost(variable, 'LEASEHOLD_HOST');
  const { host } = await readSettings();
  if (host !== undefined) return readHost(host, 'host in the settings file');
  throw new UsageError(
    'LEASEHOLD_HOST is missing: set it to the address of the HTTP API, e.g. https://leasehold.internal:8443, or sign in: leasehold login --host <url>',
  );
}

/**
 * The config that is meant: the flags', else LEASEHOLD_SCOPE's, else that of the sign-in if it is who asks, else the only one of the token.
 * @throws UsageError if it cannot be told.
 */
export async function findPlace(leases: HttpLeases, flags: PlaceFlags): Promise<Place> {
  const { project: flagProject, config: flagConfig } = flags;
  if (flagProject !== undefined && flagConfig !== undefined) return { project: flagProject, config: flagConfig };
  const scope = await findScope(flags);
  const project = flagProject ?? scope?.project;
  const config = flagConfig ?? (flagProject === undefined ? scope?.config : undefined);
  if (project !== undefined && config !== undefined) return { project, config };
  const { scopes } = await leases.whoami();
  const [only] = scopes;
  const [onlyProject, onlyConfig] = only?.split('/') ?? [];
  const fits = scopes.length === 1 && (project === undefined || project === onlyProject);
  if (fits && onlyProject !== undefined && onlyConfig !== undefined && onlyConfig !== '*') {
    return { project: onlyProject, config: config ?? onlyConfig };
  }
  throw new UsageError('Name the config with --project and --config: the token is not of one config alone.');
}

/** Tells, once for each command, that a token can be read on its way. */
export function warnOfListeners(url: string): void {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:' || isLocal(hostname)) return;
  warn(`${url} is plain HTTP: whoever is between can read the token and secrets. Use an https:// address.`);
}

/** The variables that say as whom, whatever is stored. */
export function overridingVariable(): 'LEASEHOLD_TOKEN' | 'LEASEHOLD_TOKEN_FILE' | null {
  const { token, tokenFile } = apiVariables();
  if (token !== undefined) return 'LEASEHOLD_TOKEN';
  return tokenFile === undefined ? null : 'LEASEHOLD_TOKEN_FILE';
}

interface FoundToken {
  readonly token: string | (() => Promise<string>);
  /** What is said when the API does not take it. */
  readonly refused: string;
}

async function findToken(flags: AccessFlags, url: string): Promise<FoundToken> {
  const why = `at ${url}: it is not known there, or its time is over.`;
  const ofFile = (file: string, name: string): FoundToken => ({
    token: tokenOfFile(file, name),
    refused: `The token in ${file} (${name}) is not valid ${why} Put another one there, or sign in: leasehold login --host ${url}`,
  });
  if (flags.tokenFile !== undefined) return ofFile(flags.tokenFile, '--token-file');
  const { token, tokenFile } = apiVariables();
  if (token !== undefined) {
    const refused = `LEASEHOLD_TOKEN is not valid ${why} Set another one, or unset it and sign in: leasehold login --host ${url}`;
    if (/^[\x21-\x7e]{1,16000}$/.test(token)) return { token, refused };
    throw new AuthError('LEASEHOLD_TOKEN is no token of the HTTP API.');
  }
  if (tokenFile !== undefined) return ofFile(tokenFile, 'LEASEHOLD_TOKEN_FILE');
  // Whatever host is named: only what was stored for it is sent to it.
  const signIn = (await readSettings()).sign_ins[url];
  const again = `Sign in again: leasehold login --host ${url}, or set LEASEHOLD_TOKEN.`;
  if (signIn !== undefined)
    return { token: keptToken(url, signIn), refused: `Your sign-in is not valid ${why} ${again}` };
  throw new AuthError(
    `LEASEHOLD_TOKEN is missing, and you are not signed in at ${url}: set it, or LEASEHOLD_TOKEN_FILE, or run: leasehold login --host ${url}`,
  );
}

async function findScope(flags: AccessFlags): Promise<Place | undefined> {
  const { scope: variable } = apiVariables();
  if (variable !== undefined) return readScope(variable, 'LEASEHOLD_SCOPE');
  // Of another token it tells nothing, and settings that cannot be read are no matter then.
  if (flags.tokenFile !== undefined || overridingVariable() !== null) return undefined;
  const { sign_ins: signIns } = await readSettings();
  const scope = signIns[await findHost(flags)]?.scope;
  return scope === undefined ? undefined : readScope(scope, 'scope in the settings file');
}

function readScope(text: string, name: string): Place {
  const [project, config, ...more] = text.split('/');
  if (project !== undefined && project !== '' && config !== undefined && config !== '' && more.length === 0) {
    return { project, config };
  }
  throw new UsageError(`${name} must be project/config, e.g. backend/prd.`);
}

function readHost(text: string, name: string): string {
  try {
    return checkUrl(text);
  } catch (error) {
    if (!(error instanceof LeaseError)) throw error;
    throw new UsageError(`${name} must be the address of the HTTP API, e.g. https://leasehold.internal:8443.`);
  }
}
