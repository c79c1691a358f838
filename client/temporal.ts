import './needs-temporal';
import { Client } from '@temporalio/client';
import type { Connection } from '@temporalio/client';
import { connect, ensureConnected } from '../temporal/connection';
import type { ConnectOptions } from '../temporal/connection';
import { deploymentId } from '../temporal/deployment';
import { checkSearchAttributes } from '../temporal/search-attributes';
import { revokeLease } from './end';
import { extendLease } from './extend';
import { issueLease } from './issue';
import { keepAsserted } from './identity';
import type { Leases } from './leases';
import { getLease, listLeases } from './read';
import type { Session } from './session';

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
export type { LeaseEnd, LeaseFailure, LeaseFailureType, LeaseState, RecipientJwk } from '../workflows/contract';
export { keep } from './keep';
export type { Kept, KeepOptions, KeepRequest } from './keep';
export { generateRecipient } from '../sealing/recipient';
export type { RecipientKeyPair } from '../sealing/recipient';
export { TemporalError } from '../temporal/connection';
export { MissingSearchAttributes } from '../temporal/search-attributes';

export interface ConnectLeasesOptions extends ConnectOptions {
  /** A connection to use instead of one of our own. It is not closed with the leases. */
  readonly connection?: Connection;
}

/** `Leases` over a connection to Temporal. */
export interface ConnectedLeases extends Leases {
  /** Frees the connection, unless the caller brought it. Leases go on. */
  close(): Promise<void>;
}

/**
 * Connects to Temporal, by its TEMPORAL_* variables and configuration file unless the options say otherwise, and makes sure that
 * leases can run in the namespace.
 * @throws TemporalError if the server cannot be reached or used; MissingSearchAttributes, with the command that adds them.
 */
export async function connectLeases(options: ConnectLeasesOptions = {}): Promise<ConnectedLeases> {
  const { connection: own, namespace: named } = options;
  const { connection, namespace } =
    own === undefined ? await connect(options) : { connection: own, namespace: named ?? 'default' };
  const close = async (): Promise<void> => {
    if (own === undefined) await connection.close();
  };
  try {
    if (own !== undefined) await ensureConnected(own, namespace);
    await checkSearchAttributes(connection, namespace);
    const deployment = await deploymentId(connection, namespace);
    const client = new Client({ connection, namespace });
    return { ...createLeases({ client, namespace, deployment, keptName: keepAsserted }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function createLeases(session: Session): Leases {
  return {
    issue: (request) => issueLease(session, request),
    extend: (leaseId, ttl, options) => extendLease(session, leaseId, ttl, options),
    revoke: (leaseId, options) => revokeLease(session, leaseId, options),
    get: (leaseId) => getLease(session, leaseId),
    list: (filter) => listLeases(session, filter),
  };
}
