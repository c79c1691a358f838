import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { sendNotice, WebhookError } from '../../../telemetry/webhook';
import type { Notice, Webhook } from '../../../telemetry/webhook';

interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const SECRET_PATH = '/services/canary-path?token=canary-query';
const KEY = Buffer.from('0123456789abcdef0123456789abcdef');
const NOW = new Date('2026-01-02T03:04:05.999Z');

const notice: Notice = {
  id: 'incident-aws-prod-7',
  kind: 'stuck',
  title: 'Removals <aws-prod> & more are stuck',
  text: 'The provider answers "Unavailable" since <!channel> 03:00.',
  at: '2026-01-02T03:00:00.000Z',
  facts: { integration: 'aws-prod', leases: 3, entity: null, by: '<@U1>' },
};

let server: Server;
let origin: string;
let received: Received[];
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  received = [];
  answer = (response) => response.writeHead(200).end('ok');
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url: path, headers } = request;
      received.push({ method, path, headers, body: Buffer.concat(chunks).toString('utf8') });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
});

function webhook(changes: Partial<Webhook> = {}): Webhook {
  return { name: 'webhook 1', url: origin + SECRET_PATH, format: 'json', secret: null, ...changes };
}

/** What a receiver does that knows nothing of the sender but the specification. */
function isSigned({ headers, body }: Received, key: Buffer): boolean {
  const content = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const expected = createHmac('sha256', key).update(content).digest();
  const [version, given] = String(headers['webhook-signature']).split(',');
  const actual = Buffer.from(given ?? '', 'base64');
  return version === 'v1' && actual.byteLength === expected.byteLength && timingSafeEqual(actual, expected);
}

test('a notice arrives as JSON, whole and with nothing else', async () => {
  await sendNotice(webhook(), notice);
  expect(received).toHaveLength(1);
  expect(received[0]).toMatchObject({ method: 'POST', path: SECRET_PATH });
  expect(received[0]!.headers['content-type']).toBe('application/json');
  expect(JSON.parse(received[0]!.body)).toEqual(notice);
  expect(received[0]!.headers).not.toHaveProperty('webhook-signature');
});

test('a notice to Slack is a text that mentions nobody and links nowhere', async () => {
  await sendNotice(webhook({ format: 'slack' }), notice);
  expect(JSON.parse(received[0]!.body)).toEqual({
    text: [
      'Removals &lt;aws-prod&gt; &amp; more are stuck',
      'The provider answers "Unavailable" since &lt;!channel&gt; 03:00.',
      'integration: aws-prod',
      'leases: 3',
      'by: &lt;@U1&gt;',
    ].join('\n'),
  });
});

describe.each(['json', 'slack'] as const)('with a secret, what is sent as %s', (format) => {
  test.each<[string, string, Buffer]>([
    ['whsec_ and base64', `whsec_${KEY.toString('base64')}`, KEY],
    ['whsec_ and base64 without padding', `whsec_${KEY.toString('base64').replace('=', '')}`, KEY],
    ['a text', 'sixteen letters!', Buffer.from('sixteen letters!')],
  ])('is signed with %s', async (_, secret, key) => {
    await sendNotice(webhook({ format, secret }), notice, { now: () => NOW });
    const [first] = received;
    expect(first!.headers).toMatchObject({ 'webhook-id': notice.id, 'webhook-timestamp': '1767323045' });
    expect(isSigned(first!, key)).toBe(true);
    expect(isSigned(first!, Buffer.from('another secret!!'))).toBe(false);
    expect(isSigned({ ...first!, body: `${first!.body} ` }, key)).toBe(false);
  });
});

test('a notice is signed at the present moment unless told otherwise', async () => {
  const before = Math.floor(Date.now() / 1_000);
  await sendNotice(webhook({ secret: 'sixteen letters!' }), notice);
  const timestamp = Number(received[0]!.headers['webhook-timestamp']);
  expect(timestamp).toBeGreaterThanOrEqual(before);
  expect(timestamp).toBeLessThanOrEqual(Date.now() / 1_000);
});

test.each([200, 201, 202, 204, 299])('an answer of %d is success', async (status) => {
  answer = (response) => response.writeHead(status).end();
  await expect(sendNotice(webhook(), notice)).resolves.toBeUndefined();
});

describe('a failure', () => {
  test.each([400, 401, 404, 410, 429, 500, 503])('of %d is told by its status', async (status) => {
    answer = (response) => response.writeHead(status).end('canary-answer');
    const error = await failureOf(webhook());
    expect(error).toMatchObject({ webhook: 'webhook 1', failure: 'status', status });
    expect(error.message).toBe(`The webhook webhook 1 did not take a notice: it answered ${status}.`);
  });

  test.each([301, 302, 303, 307, 308])('of %d, a redirect, is not followed', async (status) => {
    answer = (response) => response.writeHead(status, { location: `${origin}/elsewhere` }).end();
    const error = await failureOf(webhook());
    expect(error).toMatchObject({ failure: 'redirect', status });
    expect(received.map(({ path }) => path)).toEqual([SECRET_PATH]);
  });

  test('of no answer ends in time', async () => {
    answer = () => undefined;
    const error = await failureOf(webhook(), 100);
    expect(error).toMatchObject({ failure: 'timeout', status: null });
    expect(error.message).toContain('did not answer in time');
  });

  test('of an answer that breaks off is told', async () => {
    answer = (response) => response.destroy();
    expect(await failureOf(webhook())).toMatchObject({ failure: 'unreachable', status: null });
  });

  test('of a server that is not there is told', async () => {
    await new Promise((resolve) => server.close(resolve));
    expect(await failureOf(webhook())).toMatchObject({ failure: 'unreachable', status: null });
  });

  test.each([
    '',
    'hooks.example/canary',
    'ftp://canary.example',
    'http://hooks.example/canary',
    'https://canary:canary@hooks.example',
    'https://',
    'env:CANARY',
  ])('of a URL that cannot be used, %j, is told before anything is sent', async (url) => {
    const unused = jest.fn<ReturnType<typeof fetch>, Parameters<typeof fetch>>();
    const sending = sendNotice(webhook({ url }), notice, { fetch: unused });
    await expect(sending).rejects.toMatchObject({ failure: 'url', status: null });
    expect(unused).not.toHaveBeenCalled();
  });

  test.each([
    '',
    'canary',
    'whsec_',
    'whsec_canary',
    `whsec_not!base64!${'A'.repeat(40)}`,
    `whsec_${'A'.repeat(43)}\n`,
  ])('of a secret that cannot be used, %j, is told before anything is sent', async (secret) => {
    expect(await failureOf(webhook({ secret }))).toMatchObject({ failure: 'secret', status: null });
    expect(received).toEqual([]);
  });

  /** Whatever the failure, it repeats nothing that only the two sides should know. */
  async function failureOf(target: Webhook, timeoutMs = 5_000): Promise<WebhookError> {
    const error = await sendNotice(target, { ...notice, text: 'canary-text' }, { timeoutMs }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof WebhookError))
      throw new Error('the notice was taken, or failed in another way', { cause: error });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/canary|127\.0\.0\.1/);
    return error;
  }
});
