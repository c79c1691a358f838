import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeToken } from '../../api/identity/token';
import { startTemporalServer } from '../../dev/temporal-server';
import { startApiProcess } from '../support/api-process';
import { historyText } from '../support/canaries';
import { eventually, openLab } from '../support/lab';
import { startLeakHunt } from '../support/leak-hunt';
import { provided } from '../support/stack';

const run = promisify(execFile);

// What a faulty provider repeats in every error, as AWS does with session tokens in signature errors.
const ECHOED = 'FwoGZXIvYXdzCANARYOVERHTTPxyz0123456789';
const STATIC = 'CANARYSTATICSECRETxyz0123456789';
/** Given where nothing can be changed, and where nothing can be read. */
const WRITTEN = 'CANARYWRITTENOVERHTTPxyz0123456789';
const WANTED = { project: 'backend', config: 'prd', dynamic_secret: 'S3_READER', ttl: '10m' };

test('no credential and no token that went over HTTP is found in histories, logs, metrics, audit, errors or on disk', async () => {
  const { tools, aws, doppler } = provided();
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  const server = await startTemporalServer({
    binary: tools.temporal,
    databaseFile: join(directory, 'temporal.db'),
    headless: true,
    logFile: join(directory, 'temporal.log'),
  });
  const ci = makeToken('ci');
  const admin = makeToken('admin');
  const wrong = makeToken('ci').token;
  const jwt = ['{"alg":"RS256"}', '{"iss":"https://nobody.example"}', randomBytes(48).toString('hex')]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
  const lab = await openLab({
    temporal: { address: server.address, namespace: server.namespace },
    echo: ECHOED,
    environment: { LEASEHOLD_LOG_LEVEL: 'debug' },
    secrets: { STATIC: 'env:LAB_STATIC' },
    file: {
      access: {
        tokens: {
          ci: { hash: ci.hash, scopes: ['backend/prd'] },
          admin: { hash: admin.hash, scopes: ['*'], rights: ['read', 'admin'] },
        },
      },
    },
  });
  const auditFile = join(lab.directory, 'audit.jsonl');
  const observed = { LEASEHOLD_AUDIT_FILE: auditFile, LEASEHOLD_METRICS: '127.0.0.1:0' };
  const home = join(directory, 'home');
  await mkdir(home);
  const hunt = startLeakHunt('HTTP');
  for (const [name, value] of [
    ['the token', ci.token],
    ["the admin's token", admin.token],
    ['a wrong token', wrong],
    ['a foreign JWT', jwt],
    ['the static secret', STATIC],
    ['what is to be written', WRITTEN],
    ["the orchestrator's key", aws.secretAccessKey],
    ['what the provider echoed', ECHOED],
  ] as const) {
    hunt.canaries.add(name, value);
  }
  let answers = 0;
  const worker = await lab.startWorker([], observed);
  const withoutCredential = { ...lab.environment, LAB_KEY_ID: '', LAB_KEY: '' };
  const api = await startApiProcess(['--config', lab.configFile], {
    ...withoutCredential,
    ...observed,
    LAB_STATIC: STATIC,
    LEASEHOLD_LOG_LEVEL: 'debug',
  });
  const ask = async (path: string, init: RequestInit = {}, token = ci.token): Promise<Record<string, unknown>> => {
    const own = init.headers as Record<string, string> | undefined;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...own };
    const answer = await fetch(api.url + path, { ...init, headers });
    const body = (await answer.json()) as Record<string, unknown>;
    const what = `${init.method ?? 'GET'} ${path}`;
    // Credentials stand in the answers that hand them out, and nowhere else.
    answers += 1;
    if (!answer.ok)
      hunt.place('answers of the API', `error ${answer.status} of ${what} #${answers}`, JSON.stringify(body));
    hunt.place('answers of the API', `head of ${what} #${answers}`, JSON.stringify([...answer.headers]));
    return body;
  };
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Record<string, unknown>> =>
    ask(path, { method: 'POST', body: JSON.stringify(body), headers });
  const keyOf = (body: Record<string, unknown>): string =>
    (body['credential'] as Record<string, string>)['SECRET_ACCESS_KEY']!;
  const download = '/v3/configs/config/secrets/download?include_dynamic_secrets=true&project=&config=';
  try {
    const lease = await post('/v1/leases', WANTED);
    hunt.canaries.add('leased key', keyOf(lease));
    const once = await post('/v1/leases', WANTED, { 'idempotency-key': 'export' });
    const again = await post('/v1/leases', WANTED, { 'idempotency-key': 'export' });
    expect(keyOf(again)).toBe(keyOf(once));
    hunt.canaries.add('key of an idempotent issue', keyOf(once));
    const flat = (await ask(download)) as Record<string, string>;
    hunt.canaries.add('downloaded key', flat['S3_READER_SECRET_ACCESS_KEY']!);
    expect(flat['STATIC']).toBe(STATIC);
    const dopplers = await post('/v3/configs/config/dynamic_secrets/dynamic_secret/leases', {
      ...WANTED,
      ttl: undefined,
      ttl_sec: 600,
    });
    hunt.canaries.add("key by Doppler's route", (dopplers['value'] as Record<string, string>)['SECRET_ACCESS_KEY']!);
    const environment = { PATH: process.env['PATH'], HOME: home, DOPPLER_API_HOST: api.url, DOPPLER_TOKEN: ci.token };
    const { stdout } = await run(
      doppler,
      ['run', '--no-fallback', '--no-check-version', '--', 'sh', '-c', 'printf %s "$S3_READER_SECRET_ACCESS_KEY"'],
      { env: environment, timeout: 60_000 },
    );
    expect(stdout.length).toBeGreaterThan(20);
    hunt.canaries.add("key of a program of Doppler's CLI", stdout);

    lab.proxy.fault({ operation: 'CreateUser', kind: 'error', status: 403, code: 'SignatureDoesNotMatch', times: 3 });
    expect(await post('/v1/leases', WANTED)).toMatchObject({ code: 'refused' });
    expect(await ask(download)).toMatchObject({ success: false });
    lab.proxy.clearFaults();
    for (const token of [wrong, jwt]) {
      expect(await ask(download, {}, token)).toMatchObject({ code: 'unauthenticated' });
      const basic = Buffer.from(`${token}:`).toString('base64');
      expect(await ask('/v3/me', { headers: { authorization: `Basic ${basic}` } })).toMatchObject({ success: false });
    }
    for (const [method, path] of [
      ['POST', '/v3/configs/config/secrets'],
      ['POST', '/v3/configs/config/secrets/upload'],
      ['DELETE', '/v3/configs/config/secret'],
      ['POST', '/v3/configs/config/tokens'],
      ['POST', '/v3/auth/revoke'],
    ] as const) {
      const body = JSON.stringify({ token: WRITTEN, name: WRITTEN, secrets: { NEW: WRITTEN }, file: `NEW=${WRITTEN}` });
      expect(await ask(path, { method, body })).toMatchObject({ code: 'read_only' });
    }
    for (const path of ['/v1/leases', '/v3/auth/oidc', '/v3/configs/config/secrets']) {
      for (const body of [WRITTEN, `{"token":${WRITTEN}}`, `{"token":"${WRITTEN}`]) {
        expect(await ask(path, { method: 'POST', body })).toMatchObject({ code: 'invalid_input' });
      }
    }
    expect(await ask(`/v1/leases?cursor=${ci.token}`)).toMatchObject({ success: false });
    expect(await ask(`/nowhere/${ci.token}?token=${ci.token}`)).toMatchObject({ code: 'not_found' });

    const gone = new AbortController();
    lab.proxy.setOnCall((operation) => {
      if (operation === 'CreateAccessKey') gone.abort();
    });
    await expect(
      fetch(api.url + download, { headers: { authorization: `Bearer ${ci.token}` }, signal: gone.signal }),
    ).rejects.toThrow();
    lab.proxy.setOnCall(undefined);

    const id = String(lease['lease_id']);
    await post(`/v1/leases/${id}/extend`, { ttl: '20m' });
    expect(await post(`/v1/leases/${id}/revoke`, { reason: 'done', wait: true })).toMatchObject({ state: 'revoked' });
    expect(await ask(`/v1/leases/${id}`, {}, admin.token)).toMatchObject({ state: 'revoked' });
    hunt.place('answers of the API', 'list of the admin', JSON.stringify(await ask('/v1/leases', {}, admin.token)));
    hunt.place('answers of the API', 'readiness', JSON.stringify(await ask('/readyz')));
    hunt.place('metrics', 'API', await (await fetch(`${api.metricsUrl!}/metrics`)).text());
    hunt.control('metrics', 'leasehold_http_requests_total{');
    await eventually(async () => {
      for await (const { leaseId } of lab.leases.list({ live: true })) await lab.leases.revoke(leaseId);
      return (await lab.client.workflow.count('WorkflowType = "lease" AND CloseTime IS NULL')).count === 0;
    }, 'all leases to end');

    let leases = 0;
    for await (const execution of lab.client.workflow.list()) {
      const handle = lab.client.workflow.getHandle(execution.workflowId, execution.runId);
      hunt.place('visibility', execution.workflowId, JSON.stringify(execution.raw) + historyText(execution.raw));
      hunt.place('histories', execution.workflowId, historyText(await handle.fetchHistory()));
      leases += 1;
    }
    expect(leases).toBeGreaterThanOrEqual(8);
    await api.stop();
    await worker.stop();
    hunt.place('logs', 'API', api.output());
    hunt.place('logs', 'workers', lab.logs());
    hunt.control('logs', 'path":"/v1/leases');
    await server.stop();
    for (const root of [directory, lab.directory]) await hunt.files('files', root);
    for (const kind of ['answers of the API', 'visibility', 'histories', 'files']) hunt.control(kind, id);
    const audited = await readFile(auditFile, 'utf8');
    for (const event of ['delivered', 'denied', 'revoke_requested']) expect(audited).toContain(`"event":"${event}"`);
    hunt.end();
  } finally {
    await api.stop();
    await lab.close();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}, 180_000);
