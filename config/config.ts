import { DEFAULT_TTL_MS } from '../workflows/contract';
import { buildAccess } from './access';
import type { AccessSettings } from './access';
import { buildApi } from './api';
import type { ApiSettings } from './api';
import type { Parts } from './parts';
import { mapNames } from './records';
import { isReference } from './reference';
import type { ConfigFile } from './schema';
import { nameWebhooks } from './webhook-url';

/** A checked configuration. Durations are milliseconds. References are not resolved. Records by name have no prototype. */
export interface Config {
  /** Of what the file says: processes that show the same one run the same configuration. */
  readonly hash: string;
  readonly integrations: Readonly<Record<string, IntegrationSettings>>;
  readonly projects: Readonly<Record<string, ProjectSettings>>;
  readonly alerts: AlertSettings;
  readonly access: AccessSettings;
  readonly api: ApiSettings;
}

export interface IntegrationSettings {
  readonly type: string;
  /** Issues nothing any more; what it issued is extended and removed as before. */
  readonly retired: boolean;
  /** Issues nothing for now, and may go on at any time. */
  readonly paused: boolean;
  /** As the type's schema gave it. */
  readonly connection: unknown;
  readonly limits: IntegrationLimits;
  readonly timings: IntegrationTimings;
  readonly sweep: SweepSettings;
}

export interface IntegrationLimits {
  /** Calls a second to the provider, for each process and each of the two queues. */
  readonly callsPerSecond: number;
  /** Credentials that one process makes at the same time. */
  readonly provisions: number;
  /** Credentials that one process extends or removes at the same time. */
  readonly deprovisions: number;
  /** Nothing is issued while the provider's own quota leaves fewer than so many. */
  readonly quotaReserve: number;
}

/** See `Timings` of the contract. */
export interface IntegrationTimings {
  readonly issueTimeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly heartbeatTimeoutMs: number;
  /** Absent: the type's own. */
  readonly consistencyWindowMs?: number;
  readonly stuckAfterMs: number;
}

export interface SweepSettings {
  readonly everyMs: number;
  /** How long after the end of its lease an entity is left alone. */
  readonly graceMs: number;
  /** How long after its expiry the entity of a lease that is still open is removed all the same. */
  readonly overdueAfterMs: number;
}

export interface AlertSettings {
  readonly webhooks: readonly WebhookSettings[];
}

export interface WebhookSettings {
  /** For people, and unique. Never the path or the query of its URL, which are as good as a password. */
  readonly name: string;
  readonly url: { readonly literal: string } | { readonly reference: string };
  readonly format: 'slack' | 'json';
  /** The reference to what signs; null: nothing is signed. */
  readonly secret: string | null;
}

export interface ProjectSettings {
  readonly configs: Readonly<Record<string, ProjectConfig>>;
}

export interface ProjectConfig {
  readonly secrets: Readonly<Record<string, StaticSecret>>;
  readonly dynamicSecrets: Readonly<Record<string, DynamicSecret>>;
}

export type StaticSecret = { readonly literal: string } | { readonly reference: string };

export interface DynamicSecret {
  /** Name of an integration of the same configuration. */
  readonly integration: string;
  readonly defaultTtlMs: number;
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
  /** Live leases at the same time; null: any number. */
  readonly maxLeases: number | null;
  /** The same for each holder. */
  readonly maxLeasesPerHolder: number | null;
  /** Names in its credentials, e.g. `ACCESS_KEY_ID`. */
  readonly fields: readonly string[];
  /** As the schema of the integration's type gave them. */
  readonly parameters: unknown;
}

/** From a file and its parts, both without problems. */
export function buildConfig(file: ConfigFile, parts: Parts, hash: string): Config {
  return {
    hash,
    integrations: mapNames(file.integrations, (entry, name) => buildIntegration(entry, name, parts)),
    projects: mapNames(file.projects, ({ configs }, project) => ({
      configs: mapNames(configs, (entry, config) => ({
        secrets: mapNames(entry.secrets, literalOrReference),
        dynamicSecrets: mapNames(entry.dynamic_secrets, (dynamicSecret, name) => ({
          integration: dynamicSecret.integration,
          defaultTtlMs: dynamicSecret.default_ttl ?? DEFAULT_TTL_MS,
          minTtlMs: dynamicSecret.min_ttl,
          maxTtlMs: dynamicSecret.max_ttl,
          maxLeases: dynamicSecret.max_leases ?? null,
          maxLeasesPerHolder: dynamicSecret.max_leases_per_holder ?? null,
          fields: parts.fields(project, config, name),
          parameters: parts.parameters(project, config, name),
        })),
      })),
    })),
    alerts: { webhooks: buildWebhooks(file.alerts.webhooks) },
    access: buildAccess(file.access),
    api: buildApi(file.api),
  };
}

function buildWebhooks(entries: ConfigFile['alerts']['webhooks']): readonly WebhookSettings[] {
  const names = nameWebhooks(entries.map(({ url }) => url));
  return entries.map(({ url, format, secret }, index) => ({
    name: names[index] ?? '',
    url: literalOrReference(url),
    format,
    secret: secret ?? null,
  }));
}

/** Of a provider of which nothing is known: slow enough for every one. */
const CALLS_PER_SECOND = 5;

function buildIntegration(entry: ConfigFile['integrations'][string], name: string, parts: Parts): IntegrationSettings {
  const { limits, timings, sweep } = entry;
  const window = timings.consistency_window;
  return {
    type: entry.type,
    retired: entry.retired,
    paused: entry.paused,
    connection: parts.connection(name),
    limits: {
      callsPerSecond: limits.calls_per_second ?? parts.callsPerSecond(name) ?? CALLS_PER_SECOND,
      provisions: limits.provisions,
      deprovisions: limits.deprovisions,
      quotaReserve: limits.quota_reserve,
    },
    timings: {
      issueTimeoutMs: timings.issue_timeout,
      attemptTimeoutMs: timings.attempt_timeout,
      heartbeatTimeoutMs: timings.heartbeat_timeout,
      ...(window === undefined ? {} : { consistencyWindowMs: window }),
      stuckAfterMs: timings.stuck_after,
    },
    sweep: { everyMs: sweep.every, graceMs: sweep.grace, overdueAfterMs: sweep.overdue_after },
  };
}

function literalOrReference(text: string): { readonly literal: string } | { readonly reference: string } {
  return isReference(text) ? { reference: text } : { literal: text };
}
