import { Agent, request as ask } from 'node:http';
import { text as read } from 'node:stream/consumers';
import { makeToken } from '../../api/identity/token';
import { connectHttpLeases } from '../../client/http';
import type { Lease } from '../../client/http';
import { startApiProcess } from '../support/api-process';
import type { ApiProcess } from '../support/api-process';
import { startBalancer } from '../support/balancer';
import type { Balancer } from '../support/balancer';
import { eventually, openLab, pause, REQUEST } from '../support/lab';
import type { Lab } from '../support/lab';

// Two workers and two APIs behind a balancer, restarted one after the other as a rolling upgrade does it, while leases are issued,
// read, extended and revoked without a pause. Nobody may notice.

const ci = makeToken('ci');
const WANTED = { project: REQUEST.project, config: REQUEST.config, dynamicSecret: REQUEST.dynamicSecret };

let lab: Lab;
let balancer: Balancer;
const apis = new Set<ApiProcess>();

beforeAll(async () => {
  const tokens = { ci: { hash: ci.hash, scopes: ['backend/prd'] } };
  lab = await openLab({ file: { access: { tokens }, api: { requests_per_minute: 100_000 } } });
  balancer = await startBalancer('/healthz');
}, 60_000);

afterAll(async () => {
  await balancer.close();
  await Promise.all([...apis].map((api) => api.stop()));
  await lab.close();
}, 120_000);

async function startApi(): Promise<ApiProcess> {
  const temporal = { TEMPORAL_ADDRESS: lab.address, TEMPORAL_NAMESPACE: lab.namespace };
  const api = await startApiProcess(['--config', lab.configFile], { ...temporal, LEASEHOLD_API_LEAVE: '1s' });
  apis.add(api);
  balancer.add(api.url);
  await eventually(async () => balancer.uses(api.url), 'the balancer to use the API');
  return api;
}

/** Does the same again and again until it is told to stop; answers how often it was done. The first failure ends it. */
function again(act: () => Promise<void>): { stop(): Promise<number> } {
  let isOver = false;
  const run = async (): Promise<number> => {
    let times = 0;
    for (; !isOver; times += 1) await act();
    return times;
  };
  const running = run();
  // Told when it is stopped.
  running.catch(() => undefined);
  return {
    stop: () => {
      isOver = true;
      return running;
    },
  };
}

/** Another client than ours, with one connection that it keeps and no idea of trying again. */
function openPlain(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const call = async (method: string, path: string, status: number, body?: object) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await new Promise<Record<string, unknown>>((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${ci.token}`,
        ...(text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      };
      ask(url + path, { method, agent, headers })
        .on('response', (response) => {
          const parse = (body: string): void => {
            // Whoever is in between answers without a body.
            resolve({ status: response.statusCode, ...(body === '' ? {} : (JSON.parse(body) as object)) });
          };
          read(response).then(parse).catch(reject);
        })
        .on('error', reject)
        .end(text);
    });
    expect({ path, ...answer }).toMatchObject({ status });
    return answer;
  };
  return {
    call,
    close: () => {
      agent.destroy();
    },
  };
}

test('a rolling restart of both workers and both APIs fails no request, ends no lease early and leaves none behind', async () => {
  const leases = connectHttpLeases({ url: balancer.url, token: ci.token });
  const [plain, reader] = [openPlain(balancer.url), openPlain(balancer.url)];
  const workers = [await lab.startWorker(), await lab.startWorker()];
  const fleet = [await startApi(), await startApi()];
  const ids: string[] = [];
  const held: Lease[] = [];
  const issue = async (ttl: string): Promise<Lease> => {
    const lease = await leases.issue({ ...WANTED, ttl });
    ids.push(lease.leaseId);
    return lease;
  };

  const live = async (): Promise<void> => {
    const lease = await issue('10m');
    expect(await lab.aws.identity(lease.credential)).toBe('ok');
    const later = await lease.extend('20m');
    expect((await leases.get(lease.leaseId)).expiresAt).toEqual(later);
    expect(await lease.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
  };
  const ours = [again(live), again(live), again(live)];
  const theirs = again(async () => {
    const wanted = { project: WANTED.project, config: WANTED.config, dynamic_secret: WANTED.dynamicSecret, ttl: '10m' };
    const { lease_id: id } = await plain.call('POST', '/v1/leases', 201, wanted);
    ids.push(String(id));
    await plain.call('POST', `/v1/leases/${String(id)}/extend`, 200, { ttl: '20m' });
    await plain.call('GET', `/v1/leases/${String(id)}`, 200);
    await plain.call('POST', `/v1/leases/${String(id)}/revoke`, 200, { wait: true });
  });
  const reads = again(async () => {
    await reader.call('GET', '/v1/whoami', 200);
    await pause(5);
  });
  // Of each stage some leases live on to their own expiry, and work until then.
  const holders = again(async () => {
    held.push(await issue('6s'));
    await pause(500);
  });
  const users = again(async () => {
    const asked = Date.now();
    // One second for the call itself.
    const usable = held.filter(({ expiresAt }) => expiresAt.getTime() > asked + 1_000);
    for (const { credential } of usable) expect(await lab.aws.identity(credential)).toBe('ok');
    await pause(100);
  });

  const loops = [...ours, theirs, reads, holders, users];
  try {
    await pause(500);
    for (const [index, api] of fleet.entries()) {
      const worker = workers[index]!;
      expect(await api.stop()).toBe(0);
      apis.delete(api);
      await startApi();
      expect(await worker.stop()).toBe(0);
      await lab.startWorker();
    }
    await pause(500);
    for (const loop of loops) expect(await loop.stop()).toBeGreaterThan(0);
  } finally {
    await Promise.allSettled(loops.map((loop) => loop.stop()));
  }
  expect(balancer.failures).toEqual([]);
  // All four APIs had some of it.
  expect(balancer.given.size).toBe(4);
  for (const { leaseId } of held) expect(await lab.outcome(leaseId)).toMatchObject({ state: 'expired' });
  for (const leaseId of ids) {
    const outcome = await lab.outcome(leaseId);
    expect(['expired', 'revoked']).toContain(outcome.state);
    expect(await lab.aws.usersLike(leaseId)).toEqual([]);
  }
  plain.close();
  reader.close();
  await leases.close();
}, 120_000);
