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
/** How long a request waits for the answer. */
const PATIENCE_MS = 2_500;
/** Requests at about the same time ask once. */
const FRESH_MS = 1_000;

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
  let asked: { readonly at: number; readonly answer: Promise<LeaseService | undefined> } | undefined;

  const question = async (): Promise<LeaseService | undefined> => {
    try {
      await checkSearchAttributes(connection, namespace);
      const deployment = await deploymentId(connection, namespace);
      if (why !== undefined && service === undefined) logger.info('Temporal is there, and has what leases need.');
      service ??= createLeaseService({ client, namespace, deployment });
      return service;
    } catch (error) {
      const isOurs = error instanceof TemporalError || error instanceof MissingSearchAttributes;
      const now = isOurs ? error.message : 'Temporal cannot be asked for a reason that is not repeated here.';
      if (now !== why && !signal.aborted) logger.error(`Leases have to wait for Temporal. ${now}`);
      why = now;
      return service;
    }
  };

  /** One that was asked while Temporal was away may wait long after it is back: it is not waited for. */
  const ask = (): Promise<LeaseService | undefined> => {
    if (asked === undefined || performance.now() - asked.at > FRESH_MS) {
      asked = { at: performance.now(), answer: question() };
    }
    return asked.answer;
  };

  const find = async (): Promise<void> => {
    while (!signal.aborted && (await ask()) === undefined) {
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  };

  const known = async (): Promise<LeaseService> => {
    if (service !== undefined) return service;
    const over = new AbortController();
    const late = sleep(PATIENCE_MS, undefined, { signal: over.signal }).catch(() => undefined);
    const found = await Promise.race([ask(), late]);
    over.abort();
    if (found !== undefined) return found;
    throw new LeaseError('Unavailable', 'Temporal cannot be reached, or lacks what leases need: nothing was done.');
  };

  void find();
  return {
    leases: {
      issue: async (request) => (await known()).issue(request),
      issueSealed: async (request) => (await known()).issueSealed(request),
      disown: async (request) => (await known()).disown(request),
      extend: async (leaseId, ttl, more) => (await known()).extend(leaseId, ttl, more),
      revoke: async (leaseId, more) => (await known()).revoke(leaseId, more),
      get: async (leaseId) => (await known()).get(leaseId),
      page: async (...page) => (await known()).page(...page),
      abandon: async (leaseId, more) => (await known()).abandon(leaseId, more),
      list: (filter) => ({
        async *[Symbol.asyncIterator]() {
          yield* (await known()).list(filter);
        },
      }),
    },
    stop: () => {
      stopping.abort();
    },
  };
}
