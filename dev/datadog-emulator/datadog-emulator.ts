import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { onFreePorts } from '../ports';
import { errorAnswer, Refused } from './answers';
import type { Answer, ErrorStyle } from './answers';
import { createFaults } from './faults';
import type { EmulatorFault } from './faults';
import { recordOf } from './key-store';
import type { Propagation } from './key-store';
import { createOrganization } from './organization';
import type { ApiKeyRecord, ApplicationKeyRecord } from './organization';
import type { Permission } from './permissions';
import { createRateLimiter } from './rate-limit';
import type { RateLimit } from './rate-limit';
import { answerRequest, receive, routeOf } from './requests';
import type { Received } from './requests';
import type { Operation, Route } from './routes';

export type { ErrorStyle } from './answers';
export type { EmulatorFault } from './faults';
export type { KeyRecord, Propagation } from './key-store';
export type { ApiKeyRecord, ApplicationKeyRecord } from './organization';
export type { Permission } from './permissions';
export type { RateLimit } from './rate-limit';
export type { Operation } from './routes';

export interface DatadogEmulatorOptions {
  /** Taken if free; else another. */
  readonly port?: number;
}

/** A request that was answered, or cut. */
export interface EmulatorCall {
  readonly operation: Operation;
  /** Null: the connection was cut. */
  readonly status: number | null;
}

/**
 * A Datadog organization in memory, for development and tests: users, API keys and application keys. It checks keys, rights and
 * scopes, and forgets everything when it stops. No key is logged or written anywhere.
 */
export interface DatadogEmulator {
  readonly url: string;
  /** The Datadog site that it claims to be. */
  readonly site: string;
  /** The orchestrator's own keys, with every right. */
  readonly apiKey: string;
  readonly applicationKey: string;
  /** The user whose application key it is. */
  readonly orchestratorId: string;
  /** A service account for leased application keys. It may do what holders do, and nothing with keys. */
  readonly serviceAccountId: string;

  /** What was asked since the start or the last `forgetCalls`. */
  readonly calls: readonly EmulatorCall[];
  forgetCalls(): void;
  /** All API keys there are, the orchestrator's included; without their values. */
  apiKeys(): readonly ApiKeyRecord[];
  applicationKeys(): readonly ApplicationKeyRecord[];
  /** Id of the key with this value, also once it is deleted; null: there never was one. */
  idOf(value: string): string | null;

  /** Gives a user a right. @param userId default: the orchestrator */
  grant(permission: Permission, userId?: string): void;
  deny(permission: Permission, userId?: string): void;
  /** Answers its id. */
  addServiceAccount(name: string): string;
  addHuman(name: string): string;
  /**
   * A user, or a service account. Its application keys are revoked for good, its API keys stay. Only the orchestrator's own
   * application key works again once it is enabled, as if it had been replaced by one of the same value.
   */
  disableUser(userId: string): void;
  enableUser(userId: string): void;
  /** Of the organization. At the start 50. */
  setMaxApiKeys(max: number): void;
  /** At the start 1000. */
  setMaxApplicationKeysPerUser(max: number): void;
  /** Whether a second key of the same name is refused, which Datadog's documentation says and nobody has seen. At the start not. */
  setUniqueNames(hasUniqueNames: boolean): void;
  /** Whether gets leave a key's value out. At the start application keys' only. */
  setRevealedOnce(revealedOnce: { readonly apiKeys?: boolean; readonly applicationKeys?: boolean }): void;
  setErrorStyle(style: ErrorStyle): void;
  /** undefined: none, as at the start. */
  setRateLimit(limit: RateLimit | undefined): void;
  /** What is not given takes no time. */
  setPropagation(propagation: Partial<Propagation>): void;
  fault(fault: EmulatorFault): void;
  clearFaults(): void;
  /** Cuts all connections and waits until it is gone. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const SITE = 'datadoghq.com';

export function startDatadogEmulator(options: DatadogEmulatorOptions = {}): Promise<DatadogEmulator> {
  return onFreePorts({ port: options.port }, ({ port }) => startOn(port));
}

async function startOn(port: number): Promise<DatadogEmulator> {
  const organization = createOrganization();
  const { rules, orchestrator } = organization;
  const faults = createFaults();
  const rate = createRateLimiter();
  const calls: EmulatorCall[] = [];
  const stopping = new AbortController();
  let style: ErrorStyle = 'sentences';

  const wanted = { category: 'default', remoteConfigReadEnabled: true };
  const apiKey = organization.makeApiKey(orchestrator, { name: 'Leasehold', ...wanted });
  const applicationKey = organization.makeApplicationKey(orchestrator, { name: 'Leasehold', scopes: null });
  const serviceAccount = organization.addUser('Leased keys', true);

  /** Null: the connection is to be cut. */
  async function answer(route: Route, received: Received): Promise<Answer | null> {
    const fault = faults.take(route.operation);
    if (fault?.kind === 'delay') await sleep(fault.delayMs ?? 100, undefined, { signal: stopping.signal });
    const isDone = fault === undefined || fault.kind === 'delay' || fault.isDoneFirst === true;
    const done = isDone ? answerRequest(organization, route, received, style) : null;
    switch (fault?.kind) {
      case 'reset':
        return null;
      case 'status':
        return errorAnswer(new Refused(fault.status ?? 500, 'The request failed'), style);
      case 'delay':
      case undefined:
        return done;
    }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = await receive(request);
    const route = routeOf(request.method, received.url.pathname);
    if (route === undefined) {
      send(response, errorAnswer(new Refused(404, 'Not found'), style), {});
      return;
    }
    const { isOver, headers } = rate.count(route.operation);
    const given = isOver ? errorAnswer(new Refused(429, 'Too many requests'), style) : await answer(route, received);
    calls.push({ operation: route.operation, status: given?.status ?? null });
    if (given === null) response.destroy();
    else send(response, given, headers);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => {
      response.destroy();
    });
  });
  server.listen(port, HOST);
  await once(server, 'listening');

  return {
    url: `http://${HOST}:${port}`,
    site: SITE,
    apiKey: apiKey.key,
    applicationKey: applicationKey.key,
    orchestratorId: orchestrator.id,
    serviceAccountId: serviceAccount.id,
    calls,
    forgetCalls: () => {
      calls.length = 0;
    },
    apiKeys: () => organization.apiKeys.all().map(recordOf),
    applicationKeys: () => organization.applicationKeys.all().map(recordOf),
    idOf: (value) => organization.apiKeys.idOf(value) ?? organization.applicationKeys.idOf(value),
    grant: (permission, userId = orchestrator.id) => {
      organization.userOf(userId).permissions.add(permission);
    },
    deny: (permission, userId = orchestrator.id) => {
      organization.userOf(userId).permissions.delete(permission);
    },
    addServiceAccount: (name) => organization.addUser(name, true).id,
    addHuman: (name) => organization.addUser(name, false).id,
    disableUser: (userId) => {
      organization.disableUser(userId);
    },
    enableUser: (userId) => {
      organization.userOf(userId).isDisabled = false;
    },
    setMaxApiKeys: (max) => {
      rules.maxApiKeys = max;
    },
    setMaxApplicationKeysPerUser: (max) => {
      rules.maxApplicationKeysPerUser = max;
    },
    setUniqueNames: (hasUniqueNames) => {
      rules.hasUniqueNames = hasUniqueNames;
    },
    setRevealedOnce: ({ apiKeys, applicationKeys }) => {
      if (apiKeys !== undefined) rules.revealsApiKeysOnce = apiKeys;
      if (applicationKeys !== undefined) rules.revealsApplicationKeysOnce = applicationKeys;
    },
    setErrorStyle: (wantedStyle) => {
      style = wantedStyle;
    },
    setRateLimit: (limit) => {
      rate.set(limit);
    },
    setPropagation: (propagation) => {
      rules.propagation = { shownAfterMs: 0, honouredAfterMs: 0, honouredForMs: 0, ...propagation };
    },
    fault: (fault) => {
      faults.add(fault);
    },
    clearFaults: () => {
      faults.clear();
    },
    stop: async () => {
      stopping.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(
  response: ServerResponse,
  { status, headers, body }: Answer,
  more: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, { ...headers, ...more, 'x-request-id': randomUUID() });
  response.end(body);
}
