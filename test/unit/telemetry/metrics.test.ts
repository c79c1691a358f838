import { createMetrics } from '../../../telemetry/metrics';
import type { LeaseCount, Metrics } from '../../../telemetry/metrics';

/** The samples of all metrics whose name begins so, without those of the process. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const { body } = await metrics.text();
  return body.split('\n').filter((line) => line.startsWith(`leasehold_${name}`));
}

test('leases, refusals, sweeps, errors and alerts are counted, each under its labels', async () => {
  const metrics = createMetrics();
  metrics.issued('aws');
  metrics.issued('aws');
  metrics.issued('pg');
  metrics.refused('aws', 'QuotaExceeded');
  metrics.refused(null, 'UnknownDynamicSecret');
  metrics.ended('aws', 'revoked', null);
  metrics.stuck('aws');
  metrics.swept('aws', 'closed');
  metrics.providerError('aws', 'deprovision', 'Throttled');
  metrics.alertFailed('hooks.slack.com');
  expect(await samples(metrics, 'leases_issued')).toEqual([
    'leasehold_leases_issued_total{integration="aws"} 2',
    'leasehold_leases_issued_total{integration="pg"} 1',
  ]);
  expect(await samples(metrics, 'leases_refused')).toEqual([
    'leasehold_leases_refused_total{integration="aws",type="QuotaExceeded"} 1',
    'leasehold_leases_refused_total{integration="",type="UnknownDynamicSecret"} 1',
  ]);
  expect(await samples(metrics, 'leases_ended')).toEqual([
    'leasehold_leases_ended_total{integration="aws",state="revoked"} 1',
  ]);
  expect(await samples(metrics, 'leases_stuck')).toEqual(['leasehold_leases_stuck_total{integration="aws"} 1']);
  expect(await samples(metrics, 'entities_swept')).toEqual([
    'leasehold_entities_swept_total{integration="aws",reason="closed"} 1',
  ]);
  expect(await samples(metrics, 'provider_errors')).toEqual([
    'leasehold_provider_errors_total{integration="aws",verb="deprovision",type="Throttled"} 1',
  ]);
  expect(await samples(metrics, 'alerts')).toEqual(['leasehold_alerts_failed_total{webhook="hooks.slack.com"} 1']);
  expect(await samples(metrics, 'removal_lag')).toEqual([]);
});

test('requests over HTTP are counted and timed by the pattern of their route', async () => {
  const metrics = createMetrics();
  metrics.answered('/v1/leases/:id', 'GET', 200, 4);
  metrics.answered('/v1/leases/:id', 'GET', 404, 700);
  expect(await samples(metrics, 'http_requests_total')).toEqual([
    'leasehold_http_requests_total{route="/v1/leases/:id",method="GET",status="200"} 1',
    'leasehold_http_requests_total{route="/v1/leases/:id",method="GET",status="404"} 1',
  ]);
  const duration = await samples(metrics, 'http_request_duration_seconds');
  const labels = 'route="/v1/leases/:id",method="GET"';
  expect(duration).toContain(`leasehold_http_request_duration_seconds_bucket{le="0.005",${labels}} 1`);
  expect(duration).toContain(`leasehold_http_request_duration_seconds_bucket{le="1",${labels}} 2`);
  expect(duration).toContain(`leasehold_http_request_duration_seconds_sum{${labels}} 0.704`);
});

test('how late a removal was confirmed is measured in seconds, and a clock that went back counts as not late', async () => {
  const metrics = createMetrics();
  metrics.ended('aws', 'expired', 1_500);
  metrics.ended('aws', 'expired', -20);
  metrics.ended('aws', 'expired', 3 * 86_400_000);
  const lag = await samples(metrics, 'removal_lag_seconds');
  expect(lag).toContain('leasehold_removal_lag_seconds_bucket{le="0.1",integration="aws"} 1');
  expect(lag).toContain('leasehold_removal_lag_seconds_bucket{le="1",integration="aws"} 1');
  expect(lag).toContain('leasehold_removal_lag_seconds_bucket{le="2",integration="aws"} 2');
  expect(lag).toContain('leasehold_removal_lag_seconds_bucket{le="86400",integration="aws"} 2');
  expect(lag).toContain('leasehold_removal_lag_seconds_bucket{le="+Inf",integration="aws"} 3');
  expect(lag).toContain('leasehold_removal_lag_seconds_sum{integration="aws"} 259201.5');
});

test('a sweep that was stopped is counted, and changes nothing of what the last whole one said', async () => {
  const metrics = createMetrics();
  const before = Date.now() / 1_000;
  metrics.sweepEnded('aws', 'done', 2, 1);
  metrics.sweepEnded('aws', 'stopped', 0, 0);
  metrics.sweepEnded('pg', 'stopped', 0, 0);
  expect(await samples(metrics, 'sweeps')).toEqual([
    'leasehold_sweeps_total{integration="aws",outcome="done"} 1',
    'leasehold_sweeps_total{integration="aws",outcome="stopped"} 1',
    'leasehold_sweeps_total{integration="pg",outcome="stopped"} 1',
  ]);
  expect(await samples(metrics, 'entities_')).toEqual([
    'leasehold_entities_foreign{integration="aws"} 2',
    'leasehold_entities_unmarked{integration="aws"} 1',
  ]);
  const [last, ...others] = await samples(metrics, 'sweep_last_success_timestamp_seconds');
  expect(others).toEqual([]);
  const at = Number(last?.split(' ')[1]);
  expect(at).toBeGreaterThanOrEqual(before);
  expect(at).toBeLessThanOrEqual(Date.now() / 1_000);
});

test('the process itself is measured too, and two sets of metrics share nothing', async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.issued('aws');
  expect(await samples(other, 'leases_issued')).toEqual([]);
  expect(await samples(other, 'process_resident_memory_bytes')).toHaveLength(1);
  expect((await other.text()).contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
});

describe('how many leases there are', () => {
  const active: LeaseCount = { integration: 'aws', state: 'active', count: 3 };
  const stuck: LeaseCount = { integration: 'aws', state: 'stuck', count: 1 };
  const shown = ['leasehold_leases{integration="aws",state="active"} 3'];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  const leases = (metrics: Metrics) => samples(metrics, 'leases{');
  const errors = (metrics: Metrics) => samples(metrics, 'scrape_errors');

  test('is not said, and is no error, as long as nobody counts', async () => {
    const metrics = createMetrics();
    expect(await leases(metrics)).toEqual([]);
    expect(await errors(metrics)).toEqual(['leasehold_scrape_errors_total 0']);
  });

  test('is asked again after 15 seconds, and states that went are left out', async () => {
    const metrics = createMetrics();
    const count = jest.fn(() => Promise.resolve([active, stuck]));
    metrics.onScrape(count);
    expect(await leases(metrics)).toEqual([...shown, 'leasehold_leases{integration="aws",state="stuck"} 1']);
    count.mockResolvedValue([active]);
    jest.advanceTimersByTime(14_999);
    expect(await leases(metrics)).toHaveLength(2);
    expect(count).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(1);
    expect(await leases(metrics)).toEqual(shown);
    expect(count).toHaveBeenCalledTimes(2);
  });

  test('is asked once for scrapes at the same time, which all get the answer', async () => {
    const metrics = createMetrics();
    const { promise, resolve } = later();
    const count = jest.fn(() => promise);
    metrics.onScrape(count);
    const scrapes = [leases(metrics), leases(metrics), leases(metrics)];
    resolve([active]);
    expect(await Promise.all(scrapes)).toEqual([shown, shown, shown]);
    expect(count).toHaveBeenCalledTimes(1);
  });

  test('is left out and counted as an error if counting fails, and is not asked again at once', async () => {
    const metrics = createMetrics();
    const count = jest.fn(() => Promise.resolve([active]));
    metrics.onScrape(count);
    expect(await leases(metrics)).toEqual(shown);
    count.mockRejectedValue(new Error('canary'));
    jest.advanceTimersByTime(15_000);
    expect(await leases(metrics)).toEqual([]);
    expect(await leases(metrics)).toEqual([]);
    expect(await errors(metrics)).toEqual(['leasehold_scrape_errors_total 1']);
    expect(count).toHaveBeenCalledTimes(2);
    count.mockResolvedValue([active]);
    jest.advanceTimersByTime(15_000);
    expect(await leases(metrics)).toEqual(shown);
    expect(await errors(metrics)).toEqual(['leasehold_scrape_errors_total 1']);
  });

  test('is left out if it is not answered within 5 seconds, and never asked twice at once', async () => {
    const metrics = createMetrics();
    const { promise, resolve } = later();
    const count = jest.fn(() => promise);
    metrics.onScrape(count);
    metrics.issued('aws');
    const scrape = samples(metrics, 'leases');
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await scrape).toEqual(['leasehold_leases_issued_total{integration="aws"} 1']);
    await jest.advanceTimersByTimeAsync(60_000);
    const next = leases(metrics);
    resolve([active]);
    expect(await next).toEqual(shown);
    expect(count).toHaveBeenCalledTimes(1);
  });

  function later() {
    let resolve: (counts: readonly LeaseCount[]) => void = () => undefined;
    const promise = new Promise<readonly LeaseCount[]>((settle) => {
      resolve = settle;
    });
    return { promise, resolve };
  }
});
