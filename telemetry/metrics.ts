import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { endsWithin } from './ends-within';

/** What is counted about leases, for Prometheus. Names and states only: nothing of a holder, an entity or a credential. */
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
  /** @param webhook its name. */
  alertFailed(webhook: string): void;
  /** A request over HTTP. @param route its pattern, never its address. @param ms until it was answered, or its asker left. */
  answered(route: string, method: string, status: number, ms: number): void;
  /**
   * Says how many leases there are. Asked at a scrape, at most every 15 seconds and never twice at once. If it fails, or
   * takes more than 5 seconds, scrapes go without that gauge.
   */
  onScrape(count: () => Promise<readonly LeaseCount[]>): void;
  /** All of it as Prometheus reads it. */
  text(): Promise<{ contentType: string; body: string }>;
}

/** Leases that there are at this moment. */
export interface LeaseCount {
  readonly integration: string;
  /** A state of a lease, or `overdue`. */
  readonly state: string;
  readonly count: number;
}

const PREFIX = 'leasehold_';
const MIN_INTERVAL_MS = 15_000;
// Prometheus gives up after 10 s, and would then have nothing at all.
const MAX_WAIT_MS = 5_000;

// From the tenth of a second that a removal takes at best to the day after which somebody has surely looked.
const LAG_SECONDS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 10_800, 43_200, 86_400];

// From an answer out of memory to the 75 s that an issue may take.
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 80];

/** Metrics of one process, in a registry of their own, with those of the process itself. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: PREFIX });

  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> =>
    new Counter({ name: PREFIX + name, help, labelNames, registers: [registry] });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> =>
    new Gauge({ name: PREFIX + name, help, labelNames, registers: [registry] });

  const issued = counter('leases_issued_total', 'Leases whose credential was made.', ['integration']);
  const refused = counter('leases_refused_total', 'Leases that were denied, or failed before they had a credential.', [
    'integration',
    'type',
  ]);
  const ended = counter('leases_ended_total', 'Leases that ended, by how they ended.', ['integration', 'state']);
  const lag = new Histogram({
    name: `${PREFIX}removal_lag_seconds`,
    help: 'From the moment at which removal was due to its confirmation by the provider.',
    labelNames: ['integration'],
    buckets: LAG_SECONDS,
    registers: [registry],
  });
  const stuck = counter('leases_stuck_total', 'Leases that became stuck.', ['integration']);
  const swept = counter('entities_swept_total', 'Entities that the sweep removed, by why.', ['integration', 'reason']);
  const sweeps = counter('sweeps_total', 'Sweeps that ended, by how they ended.', ['integration', 'outcome']);
  const lastSweep = gauge('sweep_last_success_timestamp_seconds', 'When a sweep last came to its end.', [
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
  const alertsFailed = counter('alerts_failed_total', 'Alerts that a webhook did not take.', ['webhook']);
  const requests = counter('http_requests_total', 'Requests over HTTP, by route and by status.', [
    'route',
    'method',
    'status',
  ]);
  const duration = new Histogram({
    name: `${PREFIX}http_request_duration_seconds`,
    help: 'From the head of a request to the end of its answer.',
    labelNames: ['route', 'method'],
    buckets: REQUEST_SECONDS,
    registers: [registry],
  });
  const leases = gauge('leases', 'Leases that there are, by state.', ['integration', 'state']);
  const scrapeErrors = counter('scrape_errors_total', 'Failures to count the leases for a scrape.', []);
  const census = createCensus(() => {
    scrapeErrors.inc();
  });

  /** Without a waiting point in between, so that no other scrape reads a gauge that is half filled. */
  function show(found: readonly LeaseCount[]): void {
    leases.reset();
    for (const { integration, state, count } of found) leases.inc({ integration, state }, count);
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
      if (outcome === 'stopped') return;
      lastSweep.set({ integration }, Date.now() / 1_000);
      foreign.set({ integration }, foreignCount);
      unmarked.set({ integration }, unmarkedCount);
    },
    providerError: (integration, verb, type) => {
      providerErrors.inc({ integration, verb, type });
    },
    alertFailed: (webhook) => {
      alertsFailed.inc({ webhook });
    },
    answered: (route, method, status, ms) => {
      requests.inc({ route, method, status });
      duration.observe({ route, method }, ms / 1_000);
    },
    onScrape: census.use,
    text: async () => {
      show(await census.read());
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}

/**
 * Asks for the leases, one question at a time and not too often, and remembers the answer in between.
 * @param onFailure called once for each question that failed.
 */
function createCensus(onFailure: () => void) {
  let count: (() => Promise<readonly LeaseCount[]>) | undefined;
  let asking: Promise<void> | undefined;
  let askedAt = -Infinity;
  let known: readonly LeaseCount[] = [];

  async function ask(question: () => Promise<readonly LeaseCount[]>): Promise<void> {
    askedAt = performance.now();
    try {
      known = await question();
    } catch {
      known = [];
      onFailure();
    } finally {
      asking = undefined;
    }
  }

  return {
    use: (next: () => Promise<readonly LeaseCount[]>): void => {
      count = next;
    },
    /** Empty while it is not known. */
    read: async (): Promise<readonly LeaseCount[]> => {
      if (asking === undefined && count !== undefined && performance.now() - askedAt >= MIN_INTERVAL_MS) {
        asking = ask(count);
      }
      if (asking === undefined) return known;
      return (await endsWithin(asking, MAX_WAIT_MS)) ? known : [];
    },
  };
}
