import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { entityName } from '../activities/integrations/entity-name';
import { makeToken } from '../api/identity/token';
import { connectHttpLeases } from '../client/http';
import type { HttpLeases } from '../client/http';
import { connectLeases } from '../client/temporal';
import type { ConnectedLeases } from '../client/temporal';
import type { Tools } from '../dev/tools';
import { CHANNEL_ARGS } from '../temporal/connection';
import { deploymentId } from '../temporal/deployment';
import { configText, integrationNames, TOKEN } from './deployment-config';
import type { Limits, What } from './deployment-config';
import { createPrograms } from './programs';
import type { Program, Programs } from './programs';
import type { Orchestrator, Provider } from './provider';
import { twoSteadyPorts } from './two-ports';

export type { Limits } from './deployment-config';
export type { Program } from './programs';

export interface DeploymentOptions {
  /** It makes one of its own in there. */
  readonly directory: string;
  readonly tools: Pick<Tools, 'temporal'>;
  readonly provider: Provider;
  /** An integration for each of them. Default: one, of the provider's own. */
  readonly orchestrators?: readonly Orchestrator[];
  /** Where the worker reaches PostgreSQL. Default: the provider itself. */
  readonly reach?: { readonly host: string; readonly port: number };
  /** Default: {@link ROOMY_LIMITS}. null: those of a configuration that names none. */
  readonly limits?: Limits | null;
  /** Connections to PostgreSQL, for issuing and for removing each. Default: what a configuration has that does not name it. */
  readonly poolSize?: number;
  readonly workerEnvironment?: Readonly<Record<string, string>>;
}

/** What can be leased from one integration, and what is there of it then. */
export interface LeasedFrom {
  readonly integration: string;
  readonly what: What;
  /** As of {@link Deployment}. */
  readonly rolePrefix: string;
}

/** Leasehold on one machine as in production: Temporal with its database in a file, one worker process, one API process. */
export interface Deployment extends Omit<Programs, 'stop'> {
  readonly temporal: { readonly address: string; readonly namespace: string };
  /** Temporal's SQLite database. */
  readonly databaseFile: string;
  /** Of the API. */
  readonly url: string;
  readonly token: string;
  /** Of the first integration, as the next. */
  readonly what: What;
  /** The roles of its leases begin with it, and no others. */
  readonly rolePrefix: string;
  readonly integrations: readonly LeasedFrom[];
  /** A client of the library, in this process, with a connection of its own. */
  connect(): Promise<ConnectedLeases>;
  /** A client over HTTP, in this process. The holder is the token's. */
  connectHttp(): Promise<HttpLeases>;
  /** Ends all that runs of it. Leases that live are not ended. */
  stop(): Promise<void>;
}

/** More than one machine can use up, so that they bound nothing that is measured. */
export const ROOMY_LIMITS: Limits = { callsPerSecond: 1_000, provisions: 50, deprovisions: 50 };
const NAMESPACE = 'default';
const READY_WITHIN_MS = 60_000;

/**
 * Starts it, and waits until leases can be issued.
 * @throws StartError
 */
export async function startDeployment(options: DeploymentOptions): Promise<Deployment> {
  const {
    provider,
    orchestrators = [provider.orchestrator],
    reach = provider.server,
    limits = ROOMY_LIMITS,
    poolSize,
    tools,
  } = options;
  const directory = await mkdtemp(join(options.directory, 'leasehold-'));
  const databaseFile = join(directory, 'temporal.db');
  const configFile = join(directory, 'leasehold.yaml');
  const { token, hash } = makeToken(TOKEN);
  const text = configText({
    provider,
    orchestrators,
    reach: { host: reach.host, port: reach.port },
    limits,
    ...(poolSize === undefined ? {} : { poolSize }),
    tokenHash: hash,
  });
  await writeFile(configFile, text);
  const [temporalPort, apiPort] = await twoSteadyPorts();
  const ports = { temporal: temporalPort, api: apiPort };
  const programs = createPrograms({
    directory,
    temporalBinary: tools.temporal,
    databaseFile,
    ports,
    configFile,
    namespace: NAMESPACE,
    workerEnvironment: {
      ...Object.fromEntries(
        orchestrators.map(({ password }, index) => [integrationNames(index).passwordVariable, password]),
      ),
      ...options.workerEnvironment,
    },
  });
  const temporal = { address: `127.0.0.1:${ports.temporal}`, namespace: NAMESPACE };
  const url = `http://127.0.0.1:${ports.api}`;
  try {
    await programs.start('temporal');
    await startBoth(programs, ['worker', 'api']);
    await untilReady(url);
    const integrations = await leasedFrom(temporal, orchestrators.length);
    const [first] = integrations;
    if (first === undefined) throw new Error('A deployment without an orchestrator leases nothing.');
    return {
      ...programs,
      temporal,
      databaseFile,
      url,
      token,
      what: first.what,
      rolePrefix: first.rolePrefix,
      integrations,
      connect: () => connectTo(temporal),
      connectHttp: () => Promise.resolve(connectHttpLeases({ url, token })),
    };
  } catch (error) {
    await programs.stop();
    throw error;
  }
}

/** Both have come up, or failed, when this settles: what is stopped then is all that there is. */
async function startBoth(programs: Programs, both: readonly Program[]): Promise<void> {
  const results = await Promise.allSettled(both.map((program) => programs.start(program)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Until the API says that all queues are polled. */
async function untilReady(url: string): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const answer = await fetch(`${url}/readyz`);
    const said = await answer.text();
    if (answer.ok) return;
    if (Date.now() > until) throw new Error(`No lease can be issued after ${READY_WITHIN_MS / 1_000} s: ${said}`);
    await sleep(200);
  }
}

async function leasedFrom(
  { address, namespace }: Deployment['temporal'],
  count: number,
): Promise<readonly LeasedFrom[]> {
  const connection = await Connection.connect({ address });
  try {
    const deployment = await deploymentId(connection, namespace);
    return Array.from({ length: count }, (_, index) => {
      const { integration, what, namePrefix } = integrationNames(index);
      return { integration, what, rolePrefix: entityName(namePrefix, { deployment, leaseId: '' }) };
    });
  } finally {
    await connection.close();
  }
}

/** As programs connect, but not by the variables of whoever runs the bench. */
async function connectTo({ address, namespace }: Deployment['temporal']): Promise<ConnectedLeases> {
  const connection = await Connection.connect({ address, channelArgs: CHANNEL_ARGS });
  try {
    const leases = await connectLeases({ connection, namespace });
    return { ...leases, close: () => connection.close() };
  } catch (error) {
    await connection.close();
    throw error;
  }
}
