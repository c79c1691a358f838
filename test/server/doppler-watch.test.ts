import { Client, Connection } from '@temporalio/client';
import { createLeaseService } from '../../client/service';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { openEventStream } from '../support/event-stream';
import type { EventStream } from '../support/event-stream';
import { eventually, pause } from '../support/lab';

const WATCH = '/v3/configs/config/secrets/watch';
const DOWNLOAD = '/v3/configs/config/secrets/download?include_dynamic_secrets=true';

let lab: ApiLab;
const streams: EventStream[] = [];

beforeAll(async () => {
  lab = await openApiLab({ secrets: { GREETING: 'hello' }, tokens: { fresh: { scopes: ['backend/prd'] } } });
}, 60_000);

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.stop();
  lab.provider.before = () => undefined;
  lab.reconfigure({ secrets: { GREETING: 'hello' } });
  for (const { leaseId } of lab.provider.entities.values()) await lab.leases.revoke(leaseId!);
  await eventually(async () => lab.provider.entities.size === 0, 'nothing to be left at the provider');
});

afterAll(() => lab.close());

async function watch(token = 'ci', url = lab.url): Promise<EventStream> {
  const stream = await openEventStream(`${url}${WATCH}`, lab.tokens[token]!);
  streams.push(stream);
  await eventually(async () => stream.reads.length > 0, 'the first event');
  return stream;
}

async function download(token = 'ci', query = '', url = lab.url): Promise<Readonly<Record<string, string>>> {
  const headers = { authorization: `Bearer ${lab.tokens[token]!}` };
  const answer = await fetch(`${url}${DOWNLOAD}${query}`, { headers });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Record<string, string>;
}

test('a stream begins with a ping, and says once that the config has changed', async () => {
  await download();
  const stream = await watch();
  expect(stream.types()).toEqual(['ping']);
  lab.reconfigure({ secrets: { GREETING: 'good day' } });
  await eventually(async () => stream.reads.length === 2, 'the news');
  await pause(2_500);
  expect(stream.types()).toEqual(['ping', 'secrets.update']);
  // Who has downloaded since has nothing new, and hears of the next change again.
  await download();
  lab.reconfigure({ secrets: { GREETING: 'good night' } });
  await eventually(async () => stream.reads.length === 3, 'more news');
  expect(stream.types()).toEqual(['ping', 'secrets.update', 'secrets.update']);
});

test('a stream that is opened after the config has changed hears of it', async () => {
  await download();
  lab.reconfigure({ secrets: { GREETING: 'good day' } });
  const stream = await watch();
  await eventually(async () => stream.types().includes('secrets.update'), 'the news');
});

test('limits and TTLs that change are no reason to restart a program', async () => {
  await download();
  const stream = await watch();
  lab.reconfigure({ secrets: { GREETING: 'hello' }, dynamicSecret: { max_leases: 7, default_ttl: '5m' } });
  await pause(2_500);
  expect(stream.types()).toEqual(['ping']);
});

test('the end of a lease is announced once, before it, and only to its own token', async () => {
  const { TOKEN_LEASE_ID: leaseId, TOKEN_LEASE_EXPIRES_AT: end } = await download('ci', '&dynamic_secrets_ttl_sec=5');
  await download('other');
  const [stream, others] = [await watch(), await watch('other')];
  await eventually(async () => stream.reads.length === 2, 'the news');
  expect(Date.now()).toBeLessThan(Date.parse(end!));
  expect(lab.provider.of(leaseId!)).toHaveLength(1);
  await lab.outcome(leaseId!);
  await pause(1_500);
  expect(stream.types()).toEqual(['ping', 'secrets.update']);
  expect(others.types()).toEqual(['ping']);
});

test('programs behind one token that have fetched anew together are not told of each other’s older leases', async () => {
  await download('ci', '&dynamic_secrets_ttl_sec=4');
  const both = [await watch(), await watch()];
  await download('ci', '&dynamic_secrets_ttl_sec=6');
  for (const stream of both) {
    await eventually(async () => stream.types().includes('secrets.update'), 'the news', 6_000);
    await download('ci', '&dynamic_secrets_ttl_sec=600');
  }
  await pause(4_000);
  for (const stream of both) expect(stream.types()).toEqual(['ping', 'secrets.update']);
});

test('a process that was started since announces the end of leases that another one issued', async () => {
  await download('ci', '&dynamic_secrets_ttl_sec=6');
  const api = await lab.startApi();
  try {
    await eventually(async () => {
      for await (const { state } of lab.leases.list({ live: true })) if (state === 'active') return true;
      return false;
    }, 'the index to know the lease');
    const stream = await watch('ci', api.url);
    await eventually(async () => stream.types().includes('secrets.update'), 'the news');
  } finally {
    await api.stop();
  }
});

test('leases of programs that have ended do not restart one that begins', async () => {
  await download('fresh', '&dynamic_secrets_ttl_sec=4');
  await download('fresh', '&dynamic_secrets_ttl_sec=600');
  const stream = await watch('fresh');
  await pause(5_000);
  expect(stream.types()).toEqual(['ping']);
});

test('a token that may not see the config gets no stream', async () => {
  const headers = { authorization: `Bearer ${lab.tokens['ci']!}` };
  const answer = await fetch(`${lab.url}${WATCH}?project=backend&config=dev`, { headers });
  expect(answer.status).toBe(404);
  await answer.text();
});

test('one token has fifty streams at once and is told so at the next, and another token has its own', async () => {
  const all = await Promise.all(Array.from({ length: 50 }, () => watch()));
  const headers = { authorization: `Bearer ${lab.tokens['ci']!}` };
  const refused = await fetch(`${lab.url}${WATCH}`, { headers });
  expect({ status: refused.status, body: await refused.json() }).toEqual({
    status: 429,
    body: expect.objectContaining({
      code: 'rate_limited',
      messages: ['This token has 50 streams open, and no more are served at once. Close one first.'],
    }),
  });
  expect(refused.headers.get('retry-after')).toBe('30');
  expect((await watch('other')).status).toBe(200);
  all[0]!.stop();
  await eventually(async () => {
    const stream = await openEventStream(`${lab.url}${WATCH}`, lab.tokens['ci']!);
    streams.push(stream);
    return stream.status === 200;
  }, 'room for another stream');
});

test('a server that stops ends its streams, answers who waits, and leaves no lease that nobody has', async () => {
  lab.provider.before = (verb) => (verb === 'provision' ? pause(1_000) : undefined);
  const already = lab.provider.calls.provision;
  const api = await lab.startApi();
  const stream = await watch('ci', api.url);
  const lost = new AbortController();
  const headers = { authorization: `Bearer ${lab.tokens['ci']!}` };
  fetch(`${api.url}${DOWNLOAD}`, { headers, signal: lost.signal }).catch(() => undefined);
  const waiting = download('other', '', api.url);
  await eventually(async () => lab.provider.calls.provision === already + 2, 'both to be asked for');
  lost.abort();
  await pause(100);
  await api.stop();
  await stream.ended;
  const { TOKEN_LEASE_ID: leaseId } = await waiting;
  await eventually(async () => lab.provider.entities.size === 1, 'the other lease to be revoked');
  expect(lab.provider.of(leaseId!)).toHaveLength(1);
});

test('while Temporal cannot be reached, a download is 403 and says so quickly', async () => {
  const client = new Client({ connection: Connection.lazy({ address: '127.0.0.1:9' }), namespace: lab.namespace });
  const leases = createLeaseService({ client, namespace: lab.namespace, deployment: lab.deployment });
  const api = await lab.startApi({ client, leases });
  try {
    const answer = await fetch(`${api.url}${DOWNLOAD}`, { headers: { authorization: `Bearer ${lab.tokens['ci']!}` } });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ messages: [expect.stringContaining('Temporal')], code: 'unavailable' });
  } finally {
    await api.stop();
    await client.connection.close();
  }
});
