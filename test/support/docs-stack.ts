import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { parse, stringify } from 'yaml';
import { makeToken } from '../../api/identity/token';
import { DEVELOPMENT, LEASABLE } from '../../dev/development';
import { findPort } from '../../dev/ports';
import { openTcpGate } from '../../dev/tcp-gate';
import type { TcpGate } from '../../dev/tcp-gate';
import { incidentId } from '../../workflows/contract';
import { connectHttpLeases } from '../../client/http';
import { eventually } from './lab';
import { startService } from './service-process';
import type { ServiceProcess } from './service-process';
import { provided } from './stack';

type Environment = Readonly<Record<string, string>>;

/** What `npm start` runs, as the pages take it for granted. */
export interface DocsStack {
  /** For everything that is made beside it. */
  readonly home: string;
  /** By which the stack leases. */
  readonly configFile: string;
  readonly awsEndpoint: string;
  /** What it says that one is to export. */
  readonly demo: Environment;
  /** Likewise, as an admin of everything who works in backend/prd. */
  readonly backend: Environment;
  /** Likewise, as somebody else, whose leases are not those of the other. */
  readonly operator: Environment;
  /** Takes the provider of aws-prod away, and answers the id of a lease that is stuck for that. */
  beginTrouble(): Promise<string>;
  endTrouble(): void;
  /** Answers its exit code. */
  stop(): Promise<number | null>;
}

const READY = 'Ctrl-C ends it all.';
const BACKEND = { project: 'backend', config: 'prd' };
/** Leased from aws-prod alone, so that others do not miss it. */
const TROUBLE = { project: 'uploads', config: 'prd', dynamicSecret: 'S3_UPLOADS' };

/** Starts it on ports that the system gives, with a config backend/prd besides its own. */
export async function startDocsStack(): Promise<DocsStack> {
  const home = await mkdtemp(join(tmpdir(), 'leasehold-'));
  let service: ServiceProcess | undefined;
  let gate: TcpGate | undefined;
  const stop = async (): Promise<number | null> => {
    try {
      return (await service?.stop()) ?? null;
    } finally {
      await gate?.close();
      await rm(home, { recursive: true, force: true });
    }
  };
  try {
    const directory = join(home, 'stack');
    await mkdir(join(directory, 'state'), { recursive: true });
    const { tools } = provided();
    // Installed already.
    await symlink(dirname(dirname(tools.moto)), join(directory, 'venv'));
    const names = ['temporal', 'ui', 'aws', 'postgres', 'datadog'];
    const ports = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await findPort()] as const)));
    await writeFile(join(directory, 'state', 'ports.json'), JSON.stringify(ports));
    service = await startService('cli/main.js', READY, ['start', '--state-dir', directory], {
      LEASEHOLD_TEMPORAL_BIN: tools.temporal,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    });
    const demo = exportsIn(service.output());
    const configFile = join(directory, 'leasehold.dev.yaml');
    const docs = makeToken('docs');
    const operator = makeToken('operator');
    const file = parse(await readFile(configFile, 'utf8')) as File;
    const awsEndpoint = String(leasableOf(file).secrets['AWS_ENDPOINT_URL']);
    gate = await openTcpGate(new URL(awsEndpoint).host);
    addBackend(file, { docs, operator }, `http://${gate.address}`);
    await writeFile(`${configFile}.new`, stringify(file, { aliasDuplicateObjects: false }));
    await rename(`${configFile}.new`, configFile);
    const backend = {
      ...demo,
      LEASEHOLD_TOKEN: docs.token,
      LEASEHOLD_SCOPE: `${BACKEND.project}/${BACKEND.config}`,
      DOPPLER_PROJECT: BACKEND.project,
      DOPPLER_CONFIG: BACKEND.config,
    };
    await eventually(() => isInForce(backend), 'worker and API to have read the configuration again', 20_000);
    const way = gate;
    const beginTrouble = async (): Promise<string> => {
      const leases = connectHttpLeases({ url: demo['LEASEHOLD_HOST']!, token: operator.token });
      const { leaseId } = await leases.issue({ ...TROUBLE, ttl: '1h' });
      way.cut();
      await leases.revoke(leaseId);
      await eventually(async () => (await leases.get(leaseId)).state === 'stuck', 'the lease to be stuck');
      await leases.close();
      await eventually(() => isTold(demo), 'the incident to be opened');
      return leaseId;
    };
    const endTrouble = (): void => {
      way.mend();
    };
    const places = { home, configFile, awsEndpoint };
    const readers = { demo, backend, operator: { ...backend, LEASEHOLD_TOKEN: operator.token } };
    return { ...places, ...readers, beginTrouble, endTrouble, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Variables that are exported in what was printed, as they stand there. */
function exportsIn(printed: string): Environment {
  const pairs = [...printed.matchAll(/\bexport ((?:[A-Z_]+=[^\s$]+ ?)+)$/gm)].flatMap(([, list]) =>
    list!.trim().split(' '),
  );
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

type Mapping = Record<string, unknown>;

interface File {
  readonly access: { readonly tokens: Mapping };
  readonly integrations: Mapping;
  readonly projects: Record<
    string,
    { readonly configs: Record<string, { secrets: Mapping; dynamic_secrets: Mapping }> }
  >;
}

function leasableOf({ projects }: File): { readonly secrets: Mapping; readonly dynamic_secrets: Mapping } {
  return projects[DEVELOPMENT.project]!.configs[DEVELOPMENT.config]!;
}

/** Adds what the pages call by these names, at the providers of the stack. Of aws-prod the endpoint is another one. */
function addBackend(file: File, tokens: Readonly<Record<string, { readonly hash: string }>>, endpoint: string): void {
  const { secrets, dynamic_secrets: leasable } = leasableOf(file);
  for (const [name, { hash }] of Object.entries(tokens)) {
    file.access.tokens[name] = { hash, scopes: ['*'], rights: ['read', 'lease', 'revoke-own', 'admin'] };
  }
  const aws = file.integrations['aws-emulator'] as { readonly connection: object; readonly timings: object };
  file.integrations['aws-prod'] = {
    ...aws,
    connection: { ...aws.connection, endpoint },
    timings: { ...aws.timings, stuck_after: '1s' },
  };
  file.projects[BACKEND.project] = {
    configs: {
      [BACKEND.config]: {
        secrets: { ...secrets, LOG_LEVEL: 'info' },
        dynamic_secrets: {
          AWS: leasable[LEASABLE.aws],
          S3_UPLOADS: leasable[LEASABLE.aws],
          DATABASE: leasable[LEASABLE.postgres],
          DB_READER: leasable[LEASABLE.postgres],
          DATADOG: leasable[LEASABLE.datadog],
          DD: leasable[LEASABLE.datadog],
        },
      },
    },
  };
  const uploads = { ...(leasable[LEASABLE.aws] as object), integration: 'aws-prod' };
  file.projects[TROUBLE.project] = {
    configs: { [TROUBLE.config]: { secrets: {}, dynamic_secrets: { [TROUBLE.dynamicSecret]: uploads } } },
  };
}

/** Whether the API and the worker go by what was added: the API knows the token, and a worker serves the integration. */
async function isInForce({ LEASEHOLD_HOST: url, LEASEHOLD_TOKEN: token }: Environment): Promise<boolean> {
  const { status } = await fetch(`${url!}/v1/whoami`, { headers: { authorization: `Bearer ${token!}` } });
  if (status !== 200) return false;
  const { ready, queues } = (await (await fetch(`${url!}/readyz`)).json()) as Readiness;
  return ready && queues.some(({ name }) => name === 'aws-prod/provision');
}

/** Whether the trouble of aws-prod has an incident. */
async function isTold({
  TEMPORAL_ADDRESS: address = '',
  TEMPORAL_NAMESPACE: namespace = '',
}: Environment): Promise<boolean> {
  const connection = await Connection.connect({ address });
  try {
    const { status } = await new Client({ connection, namespace }).workflow
      .getHandle(incidentId('aws-prod'))
      .describe();
    return status.name === 'RUNNING';
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

interface Readiness {
  readonly ready: boolean;
  readonly queues: readonly { readonly name: string }[];
}
