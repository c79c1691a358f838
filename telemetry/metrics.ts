import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { createRemembered } from './remembered';

/**
 * What is counted about leases, for Prometheus. Labels are names of the configuration, states and types: nothing of a holder, an
 * entity, a lease or a credential, and no text from outside.
 */
export interface Metrics {
  issued(integration: string): void;
  /** Denied by the plan or failed in provisioning. @param integration null: no integration was found. */
  refused(integration: string | null, type: string): void;
  /** @param lagMs from the moment removal was due to its confirmation; null: nothing was removed. */
  ended(integration: string, state: string, lagMs: number | null): void;
  stuck(integration: string): void;
  swept(integration: string, reason: string): void;
  /**
   * @param foreign entities of other deployments; both numbers are shown once the sweep is done, as a stopped one saw a part.
   * @param unmarked entities whose marks are missing or cannot be read.
   */
  sweepEnded(integration: string, outcome: 'done' | 'stopped', foreign: number, unmarked: number): void;
  providerError(integration: string, verb: string, type: string): void;
  /** One attempt of an activity at a provider. @param ms waits for the integration's own rate included. */
  attempted(integration: string, verb: string, outcome: AttemptOutcome, ms: number): void;
  /**
   * How full the provider is, as it was last asked; shown for a quarter of an hour.
   * @param limit from which on nothing is issued: the provider's own, less the reserve.
   */
  quota(integration: string, used: number, limit: number): void;
  /** @param webhook its name. */
  alertFailed(webhook: string): void;
  /** An audit line could not be written. */
  auditFailed(): void;
  /** A request over HTTP. @param route its pattern, never its address. @param ms until it was answered, or its asker left. */
  answered(route: string, method: string, status: number, ms: number): void;
  /**
   * A lease was asked for over HTTP. @param type why there is none; null: it was issued.
   * @param integration null: none was found.
   */
  issueAnswered(integration: string | null, outcome: IssueOutcome, type: string | null, ms: number): void;
  /**
   * Says what this process may count from now on, so that it is there with 0 before it happens: of a counter that begins with 1
   * Prometheus sees no increase. Of an integration whose provider is not among those any more, the gauges go: they would only age.
   */
  expect(expected: Expected): void;
  /**
   * Says how many leases there are. Asked at a scrape, at most every 15 seconds and never twice at once. If it fails, scrapes go
   * without that gauge; while it takes more than 5 seconds, they have the answer before, for a minute.
   */
  onScrape(count: () => Promise<readonly LeaseCount[]>): void;
  /** Says which task queues have workers, under the same conditions. That it fails is told as Temporal being away. */
  onSurvey(look: () => Promise<readonly QueueState[]>): void;
  /** More lines for each scrape, in the text format; they must name no metric of ours. A failure leaves them out. */
  alsoTell(read: () => Promise<string>): void;
  /** All of it as Prometheus reads it. */
  text(): Promise<{ contentType: string; body: string }>;
}

/** `waiting`: the entity is gone or never was, which cannot be believed yet. */
export type AttemptOutcome = 'done' | 'failed' | 'waiting';

/** `refused`: by rule. `failed`: Temporal, a worker or the provider did not do its part. `left`: the asker did not wait. */
export type IssueOutcome = 'issued' | 'refused' | 'failed' | 'left';

/** Leases that there are at this moment. */
export interface LeaseCount {
  readonly integration: string;
  /** A state of a lease, or `overdue`. */
  readonly state: string;
  readonly count: number;
  /** Of `overdue`: for how long the oldest that was looked at should have been gone. */
  readonly oldestMs?: number;
}

/** Whether workers that get its work ask for it. */
export interface QueueState {
  readonly queue: string;
  readonly served: boolean;
}

/** Names of integrations, and what may be counted of each. */
export interface Expected {
  /** Of which leases are decided here. */
  readonly leases?: { readonly integrations: readonly string[]; readonly refusals: readonly string[] };
  /** Of which the provider is called here. */
  readonly providers?: {
    readonly integrations: readonly { readonly name: string; readonly sweptEveryMs: number }[];
    readonly errors: readonly string[];
    readonly reasons: readonly string[];
  };
  /** Of which leases are asked for over HTTP here. */
  readonly issues?: { readonly integrations: readonly string[]; readonly failures: readonly string[] };
  readonly webhooks?: readonly string[];
}

/** What a process is. */
export interface About {
  readonly part: 'worker' | 'api';
  readonly version: string;
}

const PREFIX = 'leasehold_';
const QUOTA_SHOWN_MS = 15 * 60_000;

// From the tenth of a second that a removal takes at best to the day after which somebody has surely looked.
const LAG_SECONDS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 10_800, 43_200, 86_400];

// From an answer out of memory to the 75 s that an issue may take.
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 80];

// From one call to a database beside us to the five minutes after which an attempt to remove is over.
const ATTEMPT_SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300];

// From a database beside us to the 75 s that an issue may take.
const ISSUE_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 30, 45, 60, 80];

/** What attempts are made at, as provider errors name it. */
const ATTEMPTED = ['provision', 'extend', 'deprovision'] as const;
const ERRING = [...ATTEMPTED, 'sweep'] as const;
const ENDS = ['expired', 'revoked', 'abandoned'] as const;
const OUTCOMES: readonly IssueOutcome[] = ['issued', 'refused', 'failed', 'left'];

/**
 * Metrics of one process, in a registry of their own, with those of the process itself.
 * @param about absent: it is not told.
 */
export function createMetrics(about?: About): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: PREFIX });

  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> =>
    new Counter({ name: PREFIX + name, help, labelNames, registers: [registry] });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> =>
    new Gauge({ name: PREFIX + name, help, labelNames, registers: [registry] });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: number[],
  ): Histogram<Label> => new Histogram({ name: PREFIX + name, help, labelNames, buckets, registers: [registry] });

  const issued = counter('leases_issued_total', 'Leases whose credential was made.', ['integration']);
  const refused = counter('leases_refused_total', 'Leases that were denied, or failed before they had a credential.', [
    'integration',
    'type',
  ]);
  const ended = counter('leases_ended_total', 'Leases that ended, by how they ended.', ['integration', 'state']);
  const lag = histogram(
    'removal_lag_seconds',
    'From the moment at which removal was due to its confirmation by the provider.',
    ['integration'],
    LAG_SECONDS,
  );
  const stuck = counter('leases_stuck_total', 'Leases that became stuck.', ['integration']);
  const swept = counter('entities_swept_total', 'Entities that the sweep removed, by why.', ['integration', 'reason']);
  const sweeps = counter('sweeps_total', 'Sweeps that ended, by how they ended.', ['integration', 'outcome']);
  const sweptEvery = gauge('sweep_interval_seconds', 'How often the configuration has it swept.', ['integration']);
  const lastSweep = gauge(
    'sweep_last_success_timestamp_seconds',
    'When a sweep last came to its end in this process; until one has, there is none.',
    ['integration'],
  );
  const sweepAwaited = gauge('sweep_awaited_since_timestamp_seconds', 'When this process began to wait for sweeps.', [
    'integration',
  ]);
  const foreign = gauge('entities_foreign', 'Entities of other deployments that the last whole sweep saw.', [
    'integration',
  ]);
  const unmarked = gauge('entities_unmarked', 'Entities without readable marks that the last whole sweep saw.', [
    'integration',
  ]);
  const providerErrors = counter('provider_errors_total', 'Errors of providers, by what was asked of them.', [
    'integration',
    'verb',
    'type',
  ]);
  const attempts = histogram(
    'attempt_duration_seconds',
    'How long one attempt at a provider took, by what was to be done and how it came out.',
    ['integration', 'verb', 'outcome'],
    ATTEMPT_SECONDS,
  );
  const quotaUsed = gauge('provider_quota_used', "How much of the provider's own limit is taken.", ['integration']);
  const quotaLimit = gauge(
    'provider_quota_limit',
    "The provider's own limit, less limits.quota_reserve: with so much taken, nothing is issued.",
    ['integration'],
  );
  const alertsFailed = counter('alerts_failed_total', 'Alerts that a webhook did not take.', ['webhook']);
  const auditFailures = counter('audit_failures_total', 'Audit lines that could not be written.', []);
  const requests = counter('http_requests_total', 'Requests over HTTP, by route and by status.', [
    'route',
    'method',
    'status',
  ]);
  const duration = histogram(
    'http_request_duration_seconds',
    'From the head of a request to the end of its answer.',
    ['route', 'method'],
    REQUEST_SECONDS,
  );
  const issues = histogram(
    'issue_duration_seconds',
    'How long whoever asked for a lease over HTTP waited for it, by how that came out.',
    ['integration', 'outcome'],
    ISSUE_SECONDS,
  );
  const issueFailures = counter('issue_failures_total', 'Leases asked for over HTTP that were not issued, by why.', [
    'integration',
    'type',
  ]);
  const leases = gauge(
    'leases',
    'Live leases, by state; overdue: those in whatever state that should have been gone for a minute, are stuck, or belong to an integration that is not in the configuration.',
    ['integration', 'state'],
  );
  const oldest = gauge(
    'oldest_overdue_seconds',
    'For how long the oldest of the overdue leases should have been gone; 0: none is past its expiry.',
    ['integration'],
  );
  const queues = gauge('task_queue_served', 'Whether workers ask for the work of a task queue: 1, or 0.', ['queue']);
  const temporal = gauge('temporal_up', 'Whether Temporal answered this process when it was last asked: 1, or 0.', []);
  const scrapeErrors = counter(
    'scrape_errors_total',
    'Counts of the leases for a scrape that failed, or took more than 5 seconds.',
    [],
  );
  const census = createRemembered<readonly LeaseCount[]>(() => {
    scrapeErrors.inc();
  });
  const survey = createRemembered<readonly QueueState[]>(() => undefined);
  const quotas = new Map<string, { readonly used: number; readonly limit: number; readonly at: number }>();
  const others: (() => Promise<string>)[] = [];
  /** What was said to be expected, of which saying so again would lose what was measured since. */
  const begun = new Set<string>();
  const isNew = (what: string): boolean => {
    if (begun.has(what)) return false;
    begun.add(what);
    return true;
  };

  /** Integrations whose providers are called here, and such that were: what still ends of them is counted, and shows no gauge. */
  const served = new Set<string>();
  const gone = new Set<string>();
  function forgetOthers(kept: ReadonlySet<string>): void {
    for (const integration of [...served].filter((name) => !kept.has(name))) {
      for (const each of [sweptEvery, lastSweep, sweepAwaited, foreign, unmarked]) each.remove({ integration });
      quotas.delete(integration);
      begun.delete(`provider ${integration}`);
      served.delete(integration);
      gone.add(integration);
    }
  }

  temporal.remove();
  if (about !== undefined) {
    gauge('build_info', 'Which part and release of Leasehold this is: always 1.', ['part', 'version']).set(
      { ...about },
      1,
    );
  }

  /** Without a waiting point in between, so that no other scrape reads a gauge that is half filled. */
  function show(found: readonly LeaseCount[] | null | undefined, seen: readonly QueueState[] | null | undefined): void {
    leases.reset();
    oldest.reset();
    for (const { integration, state, count, oldestMs } of found ?? []) {
      leases.inc({ integration, state }, count);
      if (oldestMs !== undefined) oldest.set({ integration }, oldestMs / 1_000);
    }
    queues.reset();
    for (const { queue, served } of seen ?? []) queues.set({ queue }, served ? 1 : 0);
    if (seen !== undefined) temporal.set(seen === null ? 0 : 1);
    quotaUsed.reset();
    quotaLimit.reset();
    for (const [integration, { used, limit, at }] of quotas) {
      if (performance.now() - at > QUOTA_SHOWN_MS) continue;
      quotaUsed.set({ integration }, used);
      quotaLimit.set({ integration }, limit);
    }
  }

  return {
    issued: (integration) => {
      issued.inc({ integration });
    },
    refused: (integration, type) => {
      refused.inc({ integration: integration ?? '', type });
    },
    ended: (integration, state, lagMs) => {
      ended.inc({ integration, state });
      if (lagMs !== null) lag.observe({ integration }, Math.max(0, lagMs) / 1_000);
    },
    stuck: (integration) => {
      stuck.inc({ integration });
    },
    swept: (integration, reason) => {
      swept.inc({ integration, reason });
    },
    sweepEnded: (integration, outcome, foreignCount, unmarkedCount) => {
      sweeps.inc({ integration, outcome });
      if (outcome === 'stopped' || gone.has(integration)) return;
      lastSweep.set({ integration }, Date.now() / 1_000);
      foreign.set({ integration }, foreignCount);
      unmarked.set({ integration }, unmarkedCount);
    },
    providerError: (integration, verb, type) => {
      providerErrors.inc({ integration, verb, type });
    },
    attempted: (integration, verb, outcome, ms) => {
      attempts.observe({ integration, verb, outcome }, ms / 1_000);
    },
    quota: (integration, used, limit) => {
      if (!gone.has(integration)) quotas.set(integration, { used, limit, at: performance.now() });
    },
    alertFailed: (webhook) => {
      alertsFailed.inc({ webhook });
    },
    auditFailed: () => {
      auditFailures.inc();
    },
    answered: (route, method, status, ms) => {
      requests.inc({ route, method, status });
      duration.observe({ route, method }, ms / 1_000);
    },
    issueAnswered: (integration, outcome, type, ms) => {
      issues.observe({ integration: integration ?? '', outcome }, ms / 1_000);
      if (type !== null) issueFailures.inc({ integration: integration ?? '', type });
    },
    expect: ({ leases: decided, providers, issues: asked, webhooks = [] }) => {
      for (const integration of decided?.integrations ?? []) {
        issued.inc({ integration }, 0);
        stuck.inc({ integration }, 0);
        for (const state of ENDS) ended.inc({ integration, state }, 0);
        for (const type of decided?.refusals ?? []) refused.inc({ integration, type }, 0);
      }
      if (providers !== undefined) forgetOthers(new Set(providers.integrations.map(({ name }) => name)));
      for (const { name: integration, sweptEveryMs } of providers?.integrations ?? []) {
        served.add(integration);
        gone.delete(integration);
        for (const verb of ERRING) {
          for (const type of providers?.errors ?? []) providerErrors.inc({ integration, verb, type }, 0);
        }
        for (const reason of providers?.reasons ?? []) swept.inc({ integration, reason }, 0);
        for (const outcome of ['done', 'stopped']) sweeps.inc({ integration, outcome }, 0);
        sweptEvery.set({ integration }, sweptEveryMs / 1_000);
        if (!isNew(`provider ${integration}`)) continue;
        for (const verb of ATTEMPTED) attempts.zero({ integration, verb, outcome: 'done' });
        sweepAwaited.set({ integration }, Date.now() / 1_000);
      }
      for (const integration of asked?.integrations ?? []) {
        for (const type of asked?.failures ?? []) issueFailures.inc({ integration, type }, 0);
        if (!isNew(`issues ${integration}`)) continue;
        for (const outcome of OUTCOMES) issues.zero({ integration, outcome });
      }
      for (const webhook of webhooks) alertsFailed.inc({ webhook }, 0);
    },
    onScrape: census.use,
    onSurvey: survey.use,
    alsoTell: (read) => {
      others.push(read);
    },
    text: async () => {
      const [counts, states, more] = await Promise.all([
        census.read(),
        survey.read(),
        Promise.all(others.map((read) => read().catch(() => ''))),
      ]);
      show(counts, states);
      return { contentType: registry.contentType, body: [await registry.metrics(), ...more].join('') };
    },
  };
}
