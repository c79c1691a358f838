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

test('what may happen is there with 0 before it does, and is not set back when it is said again', async () => {
  const metrics = createMetrics();
  const expected = {
    leases: { integrations: ['aws'], refusals: ['Refused', 'Paused'] },
    providers: {
      integrations: [{ name: 'aws', sweptEveryMs: 600_000 }],
      errors: ['Throttled'],
      reasons: ['closed', 'late'],
    },
    issues: { integrations: ['aws'], failures: ['Timeout'] },
    webhooks: ['hooks.slack.com'],
  };
  metrics.expect(expected);
  const began = await samples(metrics, 'sweep_awaited_since_timestamp_seconds');
  expect(Number(began[0]?.split(' ')[1])).toBeGreaterThan(Date.now() / 1_000 - 60);
  expect(await samples(metrics, 'sweep_last_success_timestamp_seconds')).toEqual([]);
  expect(await samples(metrics, 'leases_refused')).toEqual([
    'leasehold_leases_refused_total{integration="aws",type="Refused"} 0',
    'leasehold_leases_refused_total{integration="aws",type="Paused"} 0',
  ]);
  expect(await samples(metrics, 'leases_stuck')).toEqual(['leasehold_leases_stuck_total{integration="aws"} 0']);
  expect(await samples(metrics, 'provider_errors')).toContain(
    'leasehold_provider_errors_total{integration="aws",verb="sweep",type="Throttled"} 0',
  );
  expect(await samples(metrics, 'issue_duration_seconds_count')).toContain(
    'leasehold_issue_duration_seconds_count{integration="aws",outcome="failed"} 0',
  );
  expect(await samples(metrics, 'attempt_duration_seconds_count')).toContain(
    'leasehold_attempt_duration_seconds_count{integration="aws",verb="provision",outcome="done"} 0',
  );
  metrics.issued('aws');
  metrics.swept('aws', 'late');
  metrics.attempted('aws', 'provision', 'done', 1_200);
  metrics.issueAnswered('aws', 'failed', 'Timeout', 75_000);
  metrics.sweepEnded('aws', 'done', 0, 0);
  const swept = await samples(metrics, 'sweep_last_success_timestamp_seconds');
  metrics.expect(expected);
  expect(await samples(metrics, 'leases_issued')).toEqual(['leasehold_leases_issued_total{integration="aws"} 1']);
  expect(await samples(metrics, 'entities_swept')).toEqual([
    'leasehold_entities_swept_total{integration="aws",reason="closed"} 0',
    'leasehold_entities_swept_total{integration="aws",reason="late"} 1',
  ]);
  expect(await samples(metrics, 'attempt_duration_seconds_sum')).toContain(
    'leasehold_attempt_duration_seconds_sum{integration="aws",verb="provision",outcome="done"} 1.2',
  );
  expect(await samples(metrics, 'issue_failures')).toEqual([
    'leasehold_issue_failures_total{integration="aws",type="Timeout"} 1',
  ]);
  expect(await samples(metrics, 'issue_duration_seconds_count')).toContain(
    'leasehold_issue_duration_seconds_count{integration="aws",outcome="failed"} 1',
  );
  expect(swept).toHaveLength(1);
  expect(await samples(metrics, 'sweep_last_success_timestamp_seconds')).toEqual(swept);
  expect(await samples(metrics, 'sweep_awaited_since_timestamp_seconds')).toEqual(began);
  expect(await samples(metrics, 'sweep_interval')).toEqual(['leasehold_sweep_interval_seconds{integration="aws"} 600']);
});

test('an integration that is not served any more takes its gauges with it, and keeps what was counted', async () => {
  const metrics = createMetrics();
  const expectThese = (...names: readonly string[]): void => {
    const integrations = names.map((name) => ({ name, sweptEveryMs: 600_000 }));
    metrics.expect({ providers: { integrations, errors: [], reasons: [] } });
  };
  const gauges = async (): Promise<readonly string[]> => {
    const found = [...(await samples(metrics, 'sweep_')), ...(await samples(metrics, 'entities_'))];
    return [...found, ...(await samples(metrics, 'provider_quota_'))].filter((line) => line.includes('"aws"'));
  };
  const happens = (): void => {
    metrics.sweepEnded('aws', 'done', 2, 1);
    metrics.quota('aws', 1, 2);
  };
  expectThese('aws', 'pg');
  happens();
  expect(await gauges()).toHaveLength(7);
  expectThese('pg');
  expect(await gauges()).toEqual([]);
  // A sweep that was under way.
  happens();
  expect(await gauges()).toEqual([]);
  expect(await samples(metrics, 'sweeps_total{integration="aws",outcome="done"')).toEqual([
    'leasehold_sweeps_total{integration="aws",outcome="done"} 2',
  ]);
  expect(await samples(metrics, 'sweep_interval')).toEqual(['leasehold_sweep_interval_seconds{integration="pg"} 600']);
  expectThese('aws', 'pg');
  expect(await gauges()).toHaveLength(2);
  happens();
  expect(await gauges()).toHaveLength(7);
});

test('a process tells what it is, if it knows', async () => {
  expect(await samples(createMetrics({ part: 'api', version: '1.2.3' }), 'build_info')).toEqual([
    'leasehold_build_info{part="api",version="1.2.3"} 1',
  ]);
  expect(await samples(createMetrics(), 'build_info')).toEqual([]);
});

test('what others tell follows, and is left out while it cannot be had', async () => {
  const metrics = createMetrics();
  let isThere = true;
  metrics.alsoTell(() => (isThere ? Promise.resolve('temporal_up 1\n') : Promise.reject(new Error('canary'))));
  expect((await metrics.text()).body).toMatch(/\ntemporal_up 1\n$/);
  isThere = false;
  const { body } = await metrics.text();
  expect(body).not.toContain('temporal_up 1\n');
  expect(body).toContain('leasehold_process_cpu_seconds_total');
});

test('a quota is told for a quarter of an hour after it was asked for', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  try {
    const metrics = createMetrics();
    metrics.quota('aws', 40, 5_000);
    metrics.quota('aws', 41, 5_000);
    expect(await samples(metrics, 'provider_quota')).toEqual([
      'leasehold_provider_quota_used{integration="aws"} 41',
      'leasehold_provider_quota_limit{integration="aws"} 5000',
    ]);
    jest.advanceTimersByTime(15 * 60_000 + 1);
    expect(await samples(metrics, 'provider_quota')).toEqual([]);
  } finally {
    jest.useRealTimers();
  }
});

test('which queues are served is told, and Temporal is up or down by whether it can be asked', async () => {
  const metrics = createMetrics();
  expect(await samples(metrics, 'temporal_up')).toEqual([]);
  metrics.onSurvey(() =>
    Promise.resolve([
      { queue: 'aws/provision', served: true },
      { queue: 'aws/deprovision', served: false },
    ]),
  );
  expect(await samples(metrics, 'temporal_up')).toEqual(['leasehold_temporal_up 1']);
  expect(await samples(metrics, 'task_queue_served')).toEqual([
    'leasehold_task_queue_served{queue="aws/provision"} 1',
    'leasehold_task_queue_served{queue="aws/deprovision"} 0',
  ]);
  const cut = createMetrics();
  cut.onSurvey(() => Promise.reject(new Error('canary')));
  expect(await samples(cut, 'temporal_up')).toEqual(['leasehold_temporal_up 0']);
  expect(await samples(cut, 'task_queue_served')).toEqual([]);
});

test('for how long the oldest overdue lease should have been gone is told beside their number', async () => {
  const metrics = createMetrics();
  metrics.onScrape(() => Promise.resolve([{ integration: 'aws', state: 'overdue', count: 2, oldestMs: 90_500 }]));
  expect(await samples(metrics, 'oldest_overdue')).toEqual([
    'leasehold_oldest_overdue_seconds{integration="aws"} 90.5',
  ]);
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

  test('is what it last was while the next answer takes long, until that is a minute old', async () => {
    const metrics = createMetrics();
    const count = jest.fn((): Promise<readonly LeaseCount[]> => Promise.resolve([active]));
    metrics.onScrape(count);
    expect(await leases(metrics)).toEqual(shown);
    const { promise, resolve } = later();
    count.mockReturnValue(promise);
    const slowly = async (): Promise<string[]> => {
      await jest.advanceTimersByTimeAsync(15_000);
      const scrape = leases(metrics);
      await jest.advanceTimersByTimeAsync(5_000);
      return scrape;
    };
    // Answered at 0; read at 20, 40 and 60 s, and at 80.
    for (let scrape = 0; scrape < 3; scrape += 1) expect(await slowly()).toEqual(shown);
    expect(await slowly()).toEqual([]);
    expect(count).toHaveBeenCalledTimes(2);
    resolve([active, stuck]);
    expect(await leases(metrics)).toHaveLength(2);
    expect(await errors(metrics)).toEqual(['leasehold_scrape_errors_total 1']);
  });

  test('is one error if it takes long and fails in the end', async () => {
    const metrics = createMetrics();
    let fail: (error: Error) => void = () => undefined;
    metrics.onScrape(
      () =>
        new Promise((_, reject) => {
          fail = reject;
        }),
    );
    const scrape = leases(metrics);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await scrape).toEqual([]);
    fail(new Error('canary'));
    expect(await errors(metrics)).toEqual(['leasehold_scrape_errors_total 1']);
  });

  function later() {
    let resolve: (counts: readonly LeaseCount[]) => void = () => undefined;
    const promise = new Promise<readonly LeaseCount[]>((settle) => {
      resolve = settle;
    });
    return { promise, resolve };
  }
});
