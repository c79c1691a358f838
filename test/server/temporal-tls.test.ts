import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { makeToken } from '../../api/identity/token';
import { connectLeases } from '../../client/temporal';
import { startApiProcess } from '../support/api-process';
import type { ApiProcess } from '../support/api-process';
import { openLab, REQUEST } from '../support/lab';
import type { Lab } from '../support/lab';
import { startProgram } from '../support/program';
import type { Ended } from '../support/program';
import { selfSigned } from '../support/self-signed';
import { startTemporalFront } from '../support/temporal-front';
import type { TemporalFront } from '../support/temporal-front';

// As Temporal Cloud is reached: by the variables that docs/temporal-cloud.md names.

const server = selfSigned('temporal');
const client = selfSigned('client');
const ci = makeToken('ci');
const API_KEY = 'canary-of-an-api-key';

let lab: Lab;
let byCertificate: TemporalFront;
let byKey: TemporalFront;
/** The variables of both, without what a client has to show. */
let certificate: Readonly<Record<string, string>>;
let key: Readonly<Record<string, string>>;
let shown: Readonly<Record<string, string>>;

beforeAll(async () => {
  lab = await openLab({
    file: { access: { tokens: { ci: { hash: ci.hash, scopes: ['backend/prd'] } } } },
  });
  byCertificate = await startTemporalFront({ target: lab.address, identity: server, clientCa: client.cert });
  byKey = await startTemporalFront({ target: lab.address, identity: server, apiKey: API_KEY });
  const files = { 'ca.crt': server.cert, 'tls.crt': client.cert, 'tls.key': client.key };
  for (const [name, text] of Object.entries(files)) await writeFile(join(lab.directory, name), text);
  const common = {
    TEMPORAL_NAMESPACE: lab.namespace,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(lab.directory, 'ca.crt'),
  };
  certificate = { ...common, TEMPORAL_ADDRESS: byCertificate.address };
  shown = {
    TEMPORAL_TLS_CLIENT_CERT_PATH: join(lab.directory, 'tls.crt'),
    TEMPORAL_TLS_CLIENT_KEY_PATH: join(lab.directory, 'tls.key'),
  };
  key = { ...common, TEMPORAL_ADDRESS: byKey.address };
}, 60_000);

afterAll(async () => {
  await lab.close();
  await byCertificate.close();
  await byKey.close();
});

/** Runs a program to its end. */
function run(main: string, args: readonly string[], environment: Readonly<Record<string, string>>): Promise<Ended> {
  const program = startProgram(main, [...args, '--config', lab.configFile], { environment, directory: lab.directory });
  return program.ended;
}

/** Does something in this process, with variables that it does not have otherwise. */
async function withVariables<T>(variables: Readonly<Record<string, string>>, act: () => Promise<T>): Promise<T> {
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('TEMPORAL_')) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, variables);
  try {
    return await act();
  } finally {
    process.env = before;
  }
}

/** Issues a lease over HTTP and has it removed. */
async function leaseAndRevoke({ url }: ApiProcess): Promise<unknown> {
  const headers = { authorization: `Bearer ${ci.token}`, 'content-type': 'application/json' };
  const ask = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
    const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await answer.json()) as Record<string, unknown>;
  };
  const issued = await ask('/v1/leases', {
    project: REQUEST.project,
    config: REQUEST.config,
    dynamic_secret: REQUEST.dynamicSecret,
    ttl: '5m',
  });
  expect(issued).toMatchObject({ credential: { ACCESS_KEY_ID: expect.stringMatching(/^A/) } });
  return ask(`/v1/leases/${String(issued['lease_id'])}/revoke`, { wait: true });
}

/** A worker, the API, the library and a command, each by these variables; answers all that they wrote. */
async function useAll(environment: Readonly<Record<string, string>>): Promise<string> {
  const [worker, api] = await Promise.all([
    lab.startWorker([], environment),
    startApiProcess(['--config', lab.configFile], environment),
  ]);
  try {
    const swept = run('cli/main.js', ['sweep', '--dry-run'], environment);
    expect(await leaseAndRevoke(api)).toMatchObject({ state: 'revoked' });
    await withVariables(environment, async () => {
      const leases = await connectLeases();
      const lease = await leases.issue({ ...REQUEST, ttl: '5m' });
      expect(await lease.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
      await leases.close();
    });
    const { code, stdout, stderr } = await swept;
    expect([code, stderr]).toEqual([0, '']);
    expect(await Promise.all([worker.stop(), api.stop()])).toEqual([0, 0]);
    return worker.output() + api.output() + stdout;
  } finally {
    await Promise.all([worker.kill(), api.kill()]);
  }
}

test('worker, API, library and command line lease over TLS with a client certificate', async () => {
  await useAll({ ...certificate, ...shown });
  expect(byCertificate.calls()).toMatchObject({
    PollActivityTaskQueue: expect.any(Number),
    ExecuteMultiOperation: 2,
    RecordActivityTaskHeartbeat: expect.any(Number),
  });
  expect(new Set(byCertificate.authorizations())).toEqual(new Set([null]));
}, 60_000);

test('an API key goes with every call as a bearer token, and into no log', async () => {
  const written = await useAll({ ...key, TEMPORAL_API_KEY: API_KEY });
  expect(byKey.authorizations().length).toBeGreaterThan(50);
  expect(new Set(byKey.authorizations())).toEqual(new Set([`Bearer ${API_KEY}`]));
  expect(written).toContain('The worker is ready.');
  expect(written).not.toContain(API_KEY);
}, 60_000);

test.each<[string, () => Readonly<Record<string, string>>, RegExp]>([
  [
    'without a client certificate',
    () => certificate,
    /No connection to Temporal at localhost:\d+ .* client certificate.*TEMPORAL_TLS_\*/,
  ],
  [
    'with another API key',
    () => ({ ...key, TEMPORAL_API_KEY: 'canary-of-another-key' }),
    /Temporal refused the access: check TEMPORAL_API_KEY or the client certificate/,
  ],
])(
  '%s the worker ends with a sentence, the library says the same, and the API waits',
  async (_, environment, said) => {
    const api = await startApiProcess(['--config', lab.configFile], environment());
    try {
      const [worker, library, readiness] = await Promise.all([
        run('worker/main.js', [], environment()),
        withVariables(environment(), () =>
          connectLeases({ connectTimeoutMs: 2_000 }).then(
            () => new Error('it succeeded'),
            (error: unknown) => error as Error,
          ),
        ),
        fetch(`${api.url}/readyz`).then((answer) => answer.json()),
      ]);
      expect(worker.stdout + worker.stderr).toMatch(said);
      expect(worker.stdout + worker.stderr).not.toMatch(/canary|PRIVATE|^ {4}at /m);
      expect(worker.code).toBe(1);
      expect(library.name).toBe('TemporalError');
      expect(library.message).toMatch(said);
      expect(inspect(library, { depth: 10, showHidden: true })).not.toContain('canary');
      expect(readiness).toMatchObject({ ready: false, temporal: 'unreachable' });
    } finally {
      await api.stop();
    }
    expect(api.output()).not.toContain('canary');
  },
  60_000,
);
