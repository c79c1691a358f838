import { extendOverHttp, getOverHttp, listOverHttp } from './over-http/calls';
import { offeredOverHttp, secretsOverHttp, whoamiOverHttp } from './over-http/catalog';
import type { OfferedSecret, StaticSecrets, Whoami } from './over-http/catalog';
import { issueOverHttp } from './over-http/issue';
import type { HttpIssueRequest } from './over-http/issue';
import { isToken } from './over-http/remote';
import type { Remote } from './over-http/remote';
import { revokeOverHttp } from './over-http/revoke';
import { signInsOverHttp } from './over-http/sign-ins';
import type { SignInOffer } from './over-http/sign-ins';
import { checkUrl } from './over-http/url';
import { LeaseError } from './leases';
import type { Lease, Leases, Revocation, RevokeOptions } from './leases';
import { invalid } from './refusals';

export { LeaseError } from './leases';
export type {
  CallOptions,
  IssueRequest,
  Lease,
  LeaseErrorCode,
  LeaseErrorFacts,
  LeaseFilter,
  LeaseReport,
  Leases,
  LeaseSummary,
  Revocation,
  RevokeOptions,
  SeenState,
  Ttl,
  Undelivered,
} from './leases';
export type { LeaseEnd, LeaseFailure, LeaseFailureType, LeaseState, RecipientJwk } from '../workflows/words';
export { keep } from './keep';
export type { Kept, KeepOptions, KeepRequest } from './keep';
export { generateRecipient } from '../sealing/recipient';
export type { RecipientKeyPair } from '../sealing/recipient';
export type { OfferedSecret, StaticSecrets, Whoami } from './over-http/catalog';
export { checkUrl } from './over-http/url';
export type { SignInOffer } from './over-http/sign-ins';
export type { HttpIssueRequest } from './over-http/issue';

export interface ConnectHttpLeasesOptions {
  /** Of the Leasehold API: `https://leasehold.internal:8443`, with a path if a proxy puts it below one. */
  readonly url: string;
  /**
   * A token, or what answers the one to use now: it is asked at each request, so it should remember. A LeaseError that it throws is
   * the error of the request.
   */
  readonly token: string | (() => string | Promise<string>);
  /** Instead of the platform's own, e.g. to go through a proxy or to trust an authority for these requests alone. */
  readonly fetch?: typeof fetch;
}

/** `Leases` over HTTP: the holder is whom the token stands for, and so is who asks for a revoke. */
export interface HttpLeases extends Omit<Leases, 'issue' | 'revoke'> {
  // As a property, so that a request without a holder is no mistake here and is one where the holder is needed.
  readonly issue: (request: HttpIssueRequest) => Promise<Lease>;
  readonly revoke: (leaseId: string, options?: RevokeOptions) => Promise<Revocation>;
  /** What can be leased in a config. None if the token does not reach it. */
  offered(project: string, config: string): Promise<readonly OfferedSecret[]>;
  /** Static secrets of a config. The names may be left out if the token is of one config alone. */
  secrets(project?: string, config?: string): Promise<StaticSecrets>;
  /** Whom the token stands for. */
  whoami(): Promise<Whoami>;
  /** No more calls from now on. Leases go on. */
  close(): Promise<void>;
}

/**
 * `Leases` of a Leasehold API. Nothing is asked yet. Each credential is sealed to a key pair of this process: neither the API nor
 * anything between can read it.
 * @throws LeaseError `InvalidInput` for an address or a token that can be none.
 */
export function connectHttpLeases({ url, token, fetch: own }: ConnectHttpLeasesOptions): HttpLeases {
  let isClosed = false;
  const remote: Remote = {
    url: checkUrl(url),
    token: checkToken(token),
    // Looked up at each request: programs replace the platform's own.
    fetch: (input, init) => (own ?? fetch)(input, init),
    ensureOpen: () => {
      if (isClosed) throw new LeaseError('Unavailable', 'These leases were closed.');
    },
  };
  const revoke: HttpLeases['revoke'] = (leaseId, options) => revokeOverHttp(remote, leaseId, options);
  const extend: Leases['extend'] = (leaseId, ttl, options) => extendOverHttp(remote, leaseId, ttl, options);
  return {
    issue: (request) => issueOverHttp(remote, { extend, revoke }, request),
    extend,
    revoke,
    get: (leaseId) => getOverHttp(remote, leaseId),
    list: (filter) => listOverHttp(remote, filter),
    offered: (project, config) => offeredOverHttp(remote, project, config),
    secrets: (project, config) => secretsOverHttp(remote, project, config),
    whoami: () => whoamiOverHttp(remote),
    close: () => {
      isClosed = true;
      return Promise.resolve();
    },
  };
}

/**
 * How people sign in at a Leasehold API from a command line. It needs no token.
 * @throws LeaseError `InvalidInput` for an address that can be none.
 */
export async function offeredSignIns({
  url,
  fetch: own,
}: Omit<ConnectHttpLeasesOptions, 'token'>): Promise<readonly SignInOffer[]> {
  return signInsOverHttp({
    url: checkUrl(url),
    token: null,
    fetch: (input, init) => (own ?? fetch)(input, init),
    ensureOpen: () => undefined,
  });
}

function checkToken(token: ConnectHttpLeasesOptions['token']): NonNullable<Remote['token']> {
  if (typeof token === 'function') return async () => token();
  if (isToken(token)) return () => Promise.resolve(token);
  throw invalid('token', 'must be a token of the Leasehold API, or a function that answers one');
}
