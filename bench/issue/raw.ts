import { randomLeaseId } from '../../client/lease-id';
import { connectPostgresql } from '../../activities/integrations/postgresql/integration';
import { PACE } from '../../activities/integrations/postgresql/pace';
import { postgresql } from '../../activities/integrations/postgresql/postgresql';
import type { Attempt, Credential, Fence } from '../../activities/integrations/integration';
import type { Provider } from '../provider';

/** The provider's part of a lease and nothing else: the verbs of the integration itself, in this process. */
export interface Raw {
  readonly rolePrefix: string;
  provision(): Promise<RawRole>;
  close(): void;
}

export interface RawRole {
  readonly role: string;
  readonly credential: Credential;
  deprovision(): Promise<void>;
}

const ROLE_PREFIX = 'bench-raw';
/** Not an installation's mark: no sweep takes these roles for its own. */
const DEPLOYMENT = 'rawcalls';
const TTL_MS = 30 * 60_000;
const ATTEMPT_MS = 60_000;

/** @param connections one for each concurrent caller; each is opened at its first use and kept. */
export function openRaw(provider: Provider, connections: number): Raw {
  const { server, database, group, orchestrator } = provider;
  const connection = postgresql.connection.parse({
    host: server.host,
    port: server.port,
    database,
    user: orchestrator.user,
    password: 'env:BENCH_ORCHESTRATOR_PASSWORD',
    name_prefix: ROLE_PREFIX,
    pool_size: connections,
    tls: { mode: 'disable' },
  });
  const parameters = postgresql.parameters.parse({ roles: [group], owned: 'drop' });
  const integration = connectPostgresql(
    connection,
    { resolveReference: () => orchestrator.password, throttle: () => Promise.resolve() },
    { ...PACE, idleMs: 60 * 60_000 },
  );
  return {
    rolePrefix: `${ROLE_PREFIX}-`,
    provision: async () => {
      const mark = { leaseId: randomLeaseId(), deployment: DEPLOYMENT };
      const { entity, handle } = postgresql.plan(
        { ...mark, integration: 'postgresql', ttlMs: TTL_MS, issueTimeoutMs: ATTEMPT_MS },
        connection,
        parameters,
      );
      const attempt = (): Attempt => ({ ...mark, fence: createOpenFence(), deadline: fromNow(ATTEMPT_MS) });
      const { credential } = await integration.provision(handle, parameters, fromNow(TTL_MS), attempt());
      return {
        role: entity,
        credential,
        deprovision: async () => {
          await integration.deprovision(handle, attempt());
        },
      };
    },
    close: () => {
      integration.close();
    },
  };
}

/** Lets everything pass at once. */
function createOpenFence(): Fence {
  return {
    pass: () => Promise.resolve(),
    withdraw: () => undefined,
    holds: () => true,
    signal: new AbortController().signal,
  };
}

function fromNow(ms: number): Date {
  return new Date(Date.now() + ms);
}
