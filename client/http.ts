import { abandonOverHttp } from './over-http/abandon';
import { blocksOverHttp, liftBlockOverHttp } from './over-http/blocks';
import type { Block } from './over-http/blocks';
import { extendOverHttp, getOverHttp, listOverHttp } from './over-http/calls';
import { offeredOverHttp, secretsOverHttp, whoamiOverHttp } from './over-http/catalog';
import type { OfferedSecret, StaticSecrets, Whoami } from './over-http/catalog';
import { issueOverHttp } from './over-http/issue';
import type { HttpIssueRequest } from './over-http/issue';
import { isToken } from './over-http/remote';
import type { Remote } from './over-http/remote';
import { revocationOverHttp, revocationsOverHttp, revokeManyOverHttp } from './over-http/revocations';
import type { BulkRevocation, RevokeManyRequest } from './over-http/revocations';
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
export type { Block } from './over-http/blocks';
export type { OfferedSecret, StaticSecrets, Whoami } from './over-http/catalog';
export { checkUrl } from './over-http/url';
export type { SignInOffer } from './over-http/sign-ins';
export type { HttpIssueRequest } from './over-http/issue';
export type { BulkRevocation, RevokeManyRequest } from './over-http/revocations';
export type { ManyFilter } from './bulk-input';

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
  /** Where they are asked for, without a slash at its end. */
  readonly url: string;
  /** What can be leased in a config. None if the token does not reach it. */
  offered(project: string, config: string): Promise<readonly OfferedSecret[]>;
  /** Static secrets of a config. The names may be left out if the token is of one config alone. */
  secrets(project?: string, config?: string): Promise<StaticSecrets>;
  /** Whom the token stands for. */
  whoami(): Promise<Whoami>;
  /**
   * Blocks what the filter means and revokes all such leases; for an `entity` alone nothing is blocked. Needs the right `admin`. It
   * goes on by itself once this has resolved: `revocation` tells how far it has got. The block stays until `liftBlock`.
   */
  revokeMany(request: RevokeManyRequest): Promise<BulkRevocation>;
  /** How far a revoke of many leases has got. Needs the right `admin`. @throws LeaseError `NotFound` if there is none, or no more. */
  revocation(id: string): Promise<BulkRevocation>;
  /** The latest 100, newest first, as the index knows them: it lags by a moment. Needs the right `admin`. */
  revocations(): Promise<readonly BulkRevocation[]>;
  /** What keeps leases from being issued. Needs the right `admin`. */
  blocks(): Promise<readonly Block[]>;
  /** Lets such leases be issued again. Needs the right `admin`. @throws LeaseError `NotFound` if there is no such block. */
  liftBlock(id: string): Promise<Block>;
  /**
   * Gives up the removal of a lease that cannot succeed: it ends as `abandoned`, its credential may go on working, and what is left at
   * the provider is the sweep's. Needs the right `admin`. Resolves when it was accepted.
   */
  abandon(leaseId: string, options: { readonly reason: string }): Promise<void>;
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
    url: remote.url,
    issue: (request) => issueOverHttp(remote, { extend, revoke }, request),
    extend,
    revoke,
    get: (leaseId) => getOverHttp(remote, leaseId),
    list: (filter) => listOverHttp(remote, filter),
    offered: (project, config) => offeredOverHttp(remote, project, config),
    secrets: (project, config) => secretsOverHttp(remote, project, config),
    whoami: () => whoamiOverHttp(remote),
    revokeMany: (request) => revokeManyOverHttp(remote, request),
    revocation: (id) => revocationOverHttp(remote, id),
    revocations: () => revocationsOverHttp(remote),
    blocks: () => blocksOverHttp(remote),
    liftBlock: (id) => liftBlockOverHttp(remote, id),
    abandon: (leaseId, options) => abandonOverHttp(remote, leaseId, options),
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
