import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Connection } from '@temporalio/client';
import { LeaseError } from '../client/leases';
import { createLeaseService } from '../client/service';
import type { LeaseService } from '../client/service';
import type { Logger } from '../telemetry/logger';
import { TemporalError } from '../temporal/connection';
import { deploymentId } from '../temporal/deployment';
import { checkSearchAttributes, MissingSearchAttributes } from '../temporal/search-attributes';

export interface InstallationOptions {
  readonly connection: Connection;
  readonly client: Client;
  readonly namespace: string;
  readonly logger: Logger;
  readonly everyMs?: number;
}

export interface Installation {
  /** Until Temporal has answered, everything is refused as `Unavailable`. */
  readonly leases: LeaseService;
  stop(): void;
}

const EVERY_MS = 2_000;

/**
 * Asks Temporal, until it answers, which installation this is and whether its namespace has what leases need: an API that did not
 * start without Temporal could not say what is wrong.
 */
export function findInstallation(options: InstallationOptions): Installation {
  const { connection, client, namespace, logger, everyMs = EVERY_MS } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let service: LeaseService | undefined;
  let why: string | undefined;

  const ask = async (): Promise<LeaseService | undefined> => {
    try {
      await checkSearchAttributes(connection, namespace);
      const deployment = await deploymentId(connection, namespace);
      if (why !== undefined) logger.info('Temporal is there, and has what leases need.');
      return createLeaseService({ client, namespace, deployment });
    } catch (error) {
      const isOurs = error instanceof TemporalError || error instanceof MissingSearchAttributes;
      const now = isOurs ? error.message : 'Temporal cannot be asked for a reason that is not repeated here.';
      if (now !== why && !signal.aborted) logger.error(`Leases have to wait for Temporal. ${now}`);
      why = now;
      return undefined;
    }
  };

  const find = async (): Promise<void> => {
    while (!signal.aborted) {
      service = await ask();
      if (service !== undefined) return;
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  };

  const known = (): LeaseService => {
    if (service !== undefined) return service;
    throw new LeaseError('Unavailable', 'Temporal cannot be reached, or lacks what leases need: nothing was done.');
  };

  void find();
  return {
    leases: {
      issue: async (request) => known().issue(request),
      issueSealed: async (request) => known().issueSealed(request),
      disown: async (request) => known().disown(request),
      extend: async (leaseId, ttl, more) => known().extend(leaseId, ttl, more),
      revoke: async (leaseId, more) => known().revoke(leaseId, more),
      get: async (leaseId) => known().get(leaseId),
      page: async (filter, cursor) => known().page(filter, cursor),
      abandon: async (leaseId, more) => known().abandon(leaseId, more),
      list: (filter) => ({
        [Symbol.asyncIterator]: () => known().list(filter)[Symbol.asyncIterator](),
      }),
    },
    stop: () => {
      stopping.abort();
    },
  };
}
