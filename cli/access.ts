import { connectHttpLeases, LeaseError } from '../client/http';
import type { HttpLeases } from '../client/http';
import { apiVariables } from '../config/environment';
import type { AccessFlags, PlaceFlags } from './access-options';
import { AuthError, UsageError } from './exit';

export interface Place {
  readonly project: string;
  readonly config: string;
}

/** Leases over HTTP as the flags, the environment and the settings say. Nothing is asked yet. */
export function connect(flags: AccessFlags): Promise<HttpLeases> {
  const { host: variable, token } = apiVariables();
  const url = flags.host ?? variable;
  if (url === undefined) {
    throw new UsageError(
      'LEASEHOLD_HOST is missing: set it to the address of the HTTP API, e.g. https://leasehold.internal:8443.',
    );
  }
  if (token === undefined) throw new AuthError('LEASEHOLD_TOKEN is missing: set it to a token of the HTTP API.');
  try {
    return Promise.resolve(connectHttpLeases({ url, token }));
  } catch (error) {
    if (!(error instanceof LeaseError)) throw error;
    if (error.field === 'url') {
      const name = flags.host === undefined ? 'LEASEHOLD_HOST' : '--host';
      throw new UsageError(`${name} must be the address of the HTTP API, e.g. https://leasehold.internal:8443.`);
    }
    throw new AuthError('LEASEHOLD_TOKEN is no token of the HTTP API.');
  }
}

/**
 * The config that is meant: the flags', else LEASEHOLD_SCOPE's, else the only one of the token.
 * @throws UsageError if it cannot be told.
 */
export async function findPlace(leases: HttpLeases, flags: PlaceFlags): Promise<Place> {
  const [scopeProject, scopeConfig] = apiVariables().scope?.split('/') ?? [];
  const project = flags.project ?? scopeProject;
  const config = flags.config ?? (flags.project === undefined ? scopeConfig : undefined);
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
