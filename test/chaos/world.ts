import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { makeToken } from '../../api/identity/token';
import { steadyPort } from '../../dev/steady-port';
import { findOrInstallTools } from '../../dev/tools';
import { deploymentId } from '../../temporal/deployment';
import { startWebhookReceiver } from '../support/webhook-receiver';
import type { Received } from '../support/webhook-receiver';
import { createConfigFile } from './config-file';
import { inject } from './inject';
import { createPauses } from './pauses';
import { PROCESSES } from './plan-types';
import { startPrograms } from './programs';
import { openProviders } from './providers';
import { startTemporal } from './temporal';
import { CONFIG, DYNAMIC_SECRETS, PROJECT } from './world-config';
import type { World, WorldOptions } from './world-types';

const NAMESPACE = 'default';
const HOLDERS = ['ada', 'bob', 'eve', 'admin'] as const;
const PROVISIONS = 20;
/** How long a configuration that was written with an error stays there. */
const INVALID_FOR_MS = 2_000;

/** Starts everything and waits until leases can be issued through both APIs. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-chaos-'));
  /** Last first. */
  const ends: (() => Promise<void>)[] = [() => rm(directory, { recursive: true, force: true, maxRetries: 5 })];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    return { ...(await openIn(directory, options, ends)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openIn(
  directory: string,
  options: WorldOptions,
  ends: (() => Promise<void>)[],
): Promise<Omit<World, 'close'>> {
  const { broken, onDeed } = options;
  let failOpening: (problem: Error) => void;
  const failed = new Promise<never>((_, reject) => {
    failOpening = reject;
  });
  failed.catch(() => undefined);
  const onCrash: WorldOptions['onCrash'] = (process, how) => {
    failOpening(new Error(`The world does not open: ${process} ${how}.`));
    options.onCrash(process, how);
  };
  const tools = options.tools ?? (await findOrInstallTools(() => undefined));
  const pauses = createPauses();
  const underWay = new Set<Promise<unknown>>();
  await mkdir(join(directory, 'tmp'));

  let deployment = '';
  const temporal = await startTemporal({ binary: tools.temporal, directory, pauses, onCrash });
  ends.push(() => temporal.end());
  const receiver = await startWebhookReceiver();
  ends.push(() => receiver.close());
  const providers = await openProviders({
    moto: tools.moto,
    directory,
    pauses,
    deployment: () => deployment,
    onDeed,
  });
  ends.push(() => providers.close());
  await Promise.race([temporal.up(), failed]);
  const connection = await Connection.connect({ address: temporal.address });
  ends.push(() => connection.close());
  deployment = await deploymentId(connection, NAMESPACE);

  const made = HOLDERS.map((name) => [name, makeToken(name)] as const);
  const file = createConfigFile(join(directory, 'leasehold.yaml'), {
    ...providers.places,
    webhook: receiver.url,
    // A stopped worker keeps what its open polls are given, and with its only slot taken it has none: so another takes over.
    provisions: broken === 'fence' ? 1 : PROVISIONS,
    tokenHashes: Object.fromEntries(made.map(([name, { hash }]) => [name, hash])),
  });
  await file.writeValid();

  const ports = { 'api-1': await steadyPort(), 'api-2': await steadyPort() };
  const programs = await startPrograms({
    directory,
    configFile: file.path,
    ports,
    environment: {
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: NAMESPACE,
      LEASEHOLD_LOG_LEVEL: options.logLevel ?? 'info',
    },
    secrets: providers.environment,
    broken,
    pauses,
    isCalmSince: (instant) => temporal.isCalmSince(instant) && file.isValidSince(instant),
    onCrash,
  });
  const all = PROCESSES.map((name) => programs[name]);
  const stopPrograms = async (): Promise<void> => {
    await Promise.all(all.map((program) => program.end()));
  };
  ends.push(() => pauses.skipDuring(stopPrograms));
  await Promise.race([Promise.all(all.map((program) => program.up())), failed]);

  const weather = mapValues(providers.byName, (provider) => provider.weather);
  const tell = (): void => {
    for (const program of all) program.hangUp();
  };
  async function tracked<T>(act: Promise<T>): Promise<T> {
    underWay.add(act);
    try {
      return await act;
    } finally {
      underWay.delete(act);
    }
  }

  async function reload(invalid: boolean): Promise<void> {
    if (invalid) {
      await file.writeInvalid();
      tell();
      await pauses.pause(INVALID_FOR_MS);
    }
    await file.writeValid();
    tell();
  }

  return {
    urls: mapValues(ports, (port) => `http://127.0.0.1:${port}`),
    tokens: Object.fromEntries(made.map(([name, { token }]) => [name, token])),
    project: PROJECT,
    config: CONFIG,
    dynamicSecrets: DYNAMIC_SECRETS,
    client: new Client({ connection, namespace: NAMESPACE }),
    namespace: NAMESPACE,
    deployment,
    directory,
    auditFiles: all.map((program) => program.auditFile),
    secrets: new Map([...providers.secrets, ...made.map(([name, { token }]) => [`token of ${name}`, token] as const)]),
    entities: (integration) => providers.byName[integration].entities(),
    use: (integration, credential) => providers.byName[integration].use(credential),
    identityOf: (integration, credential) => providers.byName[integration].identityOf(credential),
    inject: (fault) => tracked(inject({ temporal, programs, weather, pauses }, fault)),
    reload: (invalid) => tracked(reload(invalid)),
    heal: () =>
      pauses.skipDuring(async () => {
        for (const each of Object.values(weather)) each.clear();
        for (const each of [temporal, ...all]) each.thaw();
        // Each ends its fault itself, and at once.
        await Promise.all(underWay);
        for (const each of [temporal, ...all]) await each.up();
      }),
    alerts: () => receiver.received.map(readAlert),
    stopPrograms,
  };
}

/** One of the JSON messages that alerts are sent as. */
function readAlert({ body, at }: Received): ReturnType<World['alerts']>[number] {
  const { kind, facts } = JSON.parse(body) as { readonly kind: string; readonly facts: { integration?: string } };
  return { at: at.getTime(), event: kind, integration: facts.integration ?? null };
}

function mapValues<Name extends string, From, To>(
  record: Readonly<Record<Name, From>>,
  change: (value: From) => To,
): Readonly<Record<Name, To>> {
  const entries = Object.entries<From>(record).map(([name, value]) => [name, change(value)]);
  return Object.fromEntries(entries) as Record<Name, To>;
}
