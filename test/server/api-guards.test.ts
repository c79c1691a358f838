import { once } from 'node:events';
import { Agent, get as httpGet } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as tlsConnect } from 'node:tls';
import type { TlsFiles } from '../../api/tls';
import { createMetrics } from '../../telemetry/metrics';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { openRaw } from '../support/raw-connection';
import { selfSigned } from '../support/self-signed';

/** A route that asks for the right admin. */
const ASKS = '/metrics';

let lab: ApiLab;

beforeAll(async () => {
  lab = await openApiLab();
}, 60_000);

afterAll(() => lab.close());

interface Guards {
  readonly requestsPerMinute?: number;
  readonly trustProxy?: readonly string[];
  readonly tls?: TlsFiles;
}

/** An API of its own, with what it counts. */
async function open({ requestsPerMinute = 100_000, trustProxy = [], tls }: Guards = {}) {
  const metrics = createMetrics();
  const settings = () => ({ requestsPerMinute, trustProxy });
  const api = await lab.startApi({ metrics }, { settings, tls: tls ?? null, requestTimeoutMs: 2_000 });
  return { url: api.url, stop: () => api.stop(), metrics };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly code?: string; readonly messages?: string[]; readonly request_id?: string };
}

async function ask(
  { url }: { readonly url: string },
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(url + path, { headers });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Answer['body'] };
}

function bearer(token: string | undefined): Record<string, string> {
  return { authorization: `Bearer ${token ?? ''}` };
}

/** Statuses of so many requests one after the other. */
async function statuses(count: number, one: () => Promise<Answer>): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < count; index += 1) seen.push((await one()).status);
  return seen;
}

describe('the request rate', () => {
  test('is limited for each token, in JSON and with the time to wait', async () => {
    const api = await open({ requestsPerMinute: 3 });
    const ci = () => ask(api, ASKS, bearer(lab.tokens['ci']));
    expect(await statuses(3, ci)).toEqual([403, 403, 403]);
    const refused = await ci();
    expect(refused.status).toBe(429);
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(50);
    expect(wait).toBeLessThanOrEqual(60);
    expect(refused.body).toEqual({
      success: false,
      code: 'rate_limited',
      messages: [`Too many requests. Try again in ${wait} s.`],
      request_id: refused.headers.get('x-request-id'),
    });
    expect((await ask(api, ASKS, bearer(lab.tokens['other']))).status).toBe(403);
  }, 60_000);

  test('is limited for each source, whatever it asks for and with whatever token', async () => {
    const api = await open({ requestsPerMinute: 1 });
    const wrong = () => ask(api, ASKS, bearer('lht.ci.wrong'));
    const nowhere = () => ask(api, '/nowhere');
    expect(await statuses(5, wrong)).toEqual([401, 401, 401, 401, 401]);
    expect(await statuses(5, nowhere)).toEqual([404, 404, 404, 404, 404]);
    expect([(await wrong()).status, (await nowhere()).status]).toEqual([429, 429]);
    expect((await ask(api, ASKS, bearer(lab.tokens['ci']))).body).toMatchObject({ code: 'rate_limited' });
  }, 60_000);
});

describe('a source address', () => {
  test('is what the connection says unless the proxy is trusted', async () => {
    const api = await open();
    await ask(api, ASKS, { ...bearer(lab.tokens['ci']), 'x-forwarded-for': '192.0.2.9' });
    expect(lab.apiLogs()).toContain('"source":"127.0.0.1"');
    expect(lab.apiLogs()).not.toContain('192.0.2.9');
  }, 60_000);

  test('is the last one before the trusted proxies, and what its sender put in front is not believed', async () => {
    const api = await open({ trustProxy: ['127.0.0.0/8', '::1', '10.1.0.0/16'] });
    const from = (forwarded: string) => ask(api, ASKS, { 'x-forwarded-for': forwarded });
    await from('198.51.100.1, 203.0.113.7, 10.1.2.3');
    expect(lab.apiLogs()).toContain('"source":"203.0.113.7"');
    expect(lab.apiLogs()).not.toContain('"source":"198.51.100.1"');
    expect(lab.audit.at(-1)).toMatchObject({ event: 'denied', details: { source: '203.0.113.7' } });
  }, 60_000);

  test('that is IPv6 counts with its whole network', async () => {
    const api = await open({ trustProxy: ['127.0.0.1'], requestsPerMinute: 1 });
    let host = 0;
    const next = (network: string) => () => ask(api, ASKS, { 'x-forwarded-for': `2001:db8:0:${network}::${++host}` });
    expect((await statuses(11, next('1'))).at(-1)).toBe(429);
    expect(await statuses(1, next('2'))).toEqual([401]);
  }, 60_000);
});

test('a flood of requests without a token is a few lines of the audit log, and one that counts the rest', async () => {
  const own = await openApiLab();
  const settings = () => ({ requestsPerMinute: 100_000, trustProxy: ['127.0.0.1'] });
  const api = await own.startApi({}, { settings });
  for (const source of ['203.0.113.1', '203.0.113.2']) {
    await Promise.all(Array.from({ length: 40 }, () => ask(api, ASKS, { 'x-forwarded-for': source })));
  }
  const denials = () => own.audit.filter(({ event }) => event === 'denied');
  expect(denials()).toHaveLength(10);
  await own.close();
  expect(denials()).toHaveLength(12);
  expect(denials().at(-1)).toMatchObject({
    reason: 'unauthenticated: 35 more within a minute.',
    details: { source: '203.0.113.2', count: 35 },
  });
}, 60_000);

describe('an answer', () => {
  test('has the headers of an API, does not say what serves it, and is not kept', async () => {
    const api = await open();
    for (const path of [ASKS, '/nowhere', '/%ff']) {
      const { headers } = await ask(api, path);
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers.get('server')).toBeNull();
      expect(headers.get('x-powered-by')).toBeNull();
    }
    const { headers } = await ask(api, ASKS);
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    // Would be a lie without TLS.
    expect(headers.get('strict-transport-security')).toBeNull();
  }, 60_000);

  test('comes over one connection for many requests', async () => {
    const api = await open();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let index = 0; index < 5; index += 1) {
      const [answer] = (await once(httpGet(api.url + ASKS, { agent }), 'response')) as [IncomingMessage];
      ports.add(answer.socket.localPort);
      await text(answer);
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  }, 60_000);

  test.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'invalid_input'],
    [
      'too large a head',
      `GET / HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    [
      'an address that cannot be read',
      'GET /%ff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      400,
      'invalid_input',
    ],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      400,
      'invalid_input',
    ],
  ])(
    'to %s is the documented error',
    async (_, sent, status, code) => {
      const api = await open();
      const { hostname, port } = new URL(api.url);
      const socket = connect(Number(port), hostname);
      socket.write(sent);
      const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(head).toMatch(/content-type: application\/json/i);
      expect(JSON.parse(body)).toEqual({
        success: false,
        code,
        messages: [expect.any(String)],
        request_id: /x-request-id: (\S+)/i.exec(head)?.[1],
      });
    },
    60_000,
  );
});

test('requests are counted by the pattern of their route and never by what a caller put into it', async () => {
  const api = await open();
  await ask(api, `${ASKS}?x=CANARY`, bearer(lab.tokens['ci']));
  await ask(api, '/nowhere/CANARY?x=CANARY');
  const { body } = await api.metrics.text();
  expect(body).toContain('leasehold_http_requests_total{route="none",method="GET",status="404"}');
  expect(body).toContain('leasehold_http_request_duration_seconds_count{route="none",method="GET"}');
  expect(body).not.toContain('CANARY');
  expect(body).toContain('leasehold_http_requests_total{route="/metrics",method="GET",status="403"} 1');
}, 60_000);

describe('over TLS', () => {
  test('requests are answered as ever, and told to stay with TLS', async () => {
    const { cert, key } = selfSigned();
    const api = await open({ tls: { cert, key } });
    const [answer] = (await once(
      httpsGet(`${api.url}${ASKS}`, { ca: cert, headers: bearer(lab.tokens['ci']) }),
      'response',
    )) as [IncomingMessage];
    expect(answer.statusCode).toBe(403);
    expect(answer.headers['strict-transport-security']).toMatch(/max-age=/);
    expect(JSON.parse(await text(answer))).toMatchObject({ success: false });
  }, 60_000);

  test.each(['TLSv1', 'TLSv1.1'] as const)(
    '%s is refused',
    async (version) => {
      const { cert, key } = selfSigned();
      const api = await open({ tls: { cert, key } });
      const { port } = new URL(api.url);
      const offered = { ca: cert, host: '127.0.0.1', port: Number(port), ciphers: 'DEFAULT@SECLEVEL=0' };
      const old = tlsConnect({ ...offered, minVersion: version, maxVersion: version });
      await expect(once(old, 'secureConnect')).rejects.toThrow(/protocol version|alert|version/i);
      const now = tlsConnect(offered);
      await once(now, 'secureConnect');
      expect(now.getProtocol()).toMatch(/^TLSv1\.[23]$/);
      now.destroy();
    },
    60_000,
  );

  test('the head and the time of a request are bounded too', async () => {
    const { cert, key } = selfSigned();
    const api = await open({ tls: { cert, key } });
    const { port } = new URL(api.url);
    const large = tlsConnect({ ca: cert, host: '127.0.0.1', port: Number(port) });
    await once(large, 'secureConnect');
    large.write(`GET / HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`);
    const slow = tlsConnect({ ca: cert, host: '127.0.0.1', port: Number(port) });
    await once(slow, 'secureConnect');
    slow.write('GET / HTTP/1.1\r\nhost: x\r\n');
    // By then it is not known any more what was asked for: it may have been a download.
    expect(await text(large)).toMatch(/^HTTP\/1.1 403 [^]*headers_too_large/);
    expect(await text(slow)).toMatch(/^HTTP\/1.1 408 /);
    // Node's own bounds are looked at only every 30 s.
  }, 20_000);

  test.each([
    ['on which nothing comes', ''],
    ['on which half a greeting comes', '\x16\x03\x01'],
    ['on which comes what is no TLS', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'],
  ])(
    'a connection %s is closed, and does not hold up a stop',
    async (_, sent) => {
      const { cert, key } = selfSigned();
      const api = await open({ tls: { cert, key } });
      const one = await openRaw(api.url);
      one.write(sent);
      await one.closed;
      const late = await openRaw(api.url);
      late.write(sent);
      await api.stop();
      await late.closed;
    },
    12_000,
  );
});
