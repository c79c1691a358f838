import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createMetrics } from '../../../telemetry/metrics';
import type { Metrics } from '../../../telemetry/metrics';
import { MetricsServerError, startMetricsServer } from '../../../telemetry/metrics-server';
import type { MetricsServer } from '../../../telemetry/metrics-server';

const ANY = { host: '127.0.0.1', port: 0 };

let metrics: Metrics;
let server: MetricsServer;

beforeEach(async () => {
  metrics = createMetrics();
  server = await startMetricsServer(ANY, metrics);
});

afterEach(() => server.close());

test('metrics are served as Prometheus reads them', async () => {
  metrics.issued('aws');
  for (const path of ['/metrics', '/metrics?name=x']) {
    const response = await fetch(server.url + path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('\nleasehold_leases_issued_total{integration="aws"} 1\n');
  }
});

test('the process says that it runs, even while leases cannot be counted', async () => {
  metrics.onScrape(() => new Promise(() => undefined));
  const response = await fetch(`${server.url}/healthz`);
  expect(response.status).toBe(200);
  expect(await response.text()).toBe('ok');
});

test.each([
  ['GET', '/', 404],
  ['GET', '/metrics/', 404],
  ['GET', '/healthz2', 404],
  ['POST', '/', 404],
  ['POST', '/metrics', 405],
  ['DELETE', '/metrics', 405],
  ['HEAD', '/healthz', 405],
])('%s %s is answered with %d', async (method, path, status) => {
  const response = await fetch(server.url + path, { method });
  expect(response.status).toBe(status);
  expect(response.headers.get('allow')).toBe(status === 405 ? 'GET' : null);
});

test('metrics that cannot be read are an error of this request alone, without its reason', async () => {
  const text = jest.spyOn(metrics, 'text').mockRejectedValueOnce(new Error('canary'));
  const response = await fetch(`${server.url}/metrics`);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('canary');
  text.mockRestore();
  expect((await fetch(`${server.url}/metrics`)).status).toBe(200);
});

test('a port that is taken is told, with the way out', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const starting = startMetricsServer({ host: '127.0.0.1', port }, metrics);
  await expect(starting).rejects.toThrow(MetricsServerError);
  await expect(starting).rejects.toThrow(
    `Metrics cannot be served at 127.0.0.1:${port} (EADDRINUSE): something else listens there. Choose another port, in LEASEHOLD_METRICS.`,
  );
  await new Promise((resolve) => other.close(resolve));
});

test('an address that this machine does not have is told', async () => {
  await expect(startMetricsServer({ host: '192.0.2.1', port: 0 }, metrics)).rejects.toThrow(
    /192\.0\.2\.1:0 \(EADDRNOTAVAIL\): this machine does not have that address/,
  );
});

test('close waits for no scraper that keeps its connection open, and frees the port', async () => {
  const { port } = new URL(server.url);
  const scraper = connect(Number(port), '127.0.0.1');
  await new Promise((resolve) => scraper.once('connect', resolve));
  const ended = new Promise((resolve) => scraper.once('close', resolve));
  scraper.on('error', () => undefined);
  await server.close();
  await ended;
  server = await startMetricsServer({ host: '127.0.0.1', port: Number(port) }, metrics);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
});
