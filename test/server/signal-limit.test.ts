import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Connections } from '../../activities/connections';
import { nudgeWaiting } from '../../activities/incidents/probe';
import type { Lease } from '../../client/leases';
import { createLeaseService } from '../../client/service';
import type { Config } from '../../config/load';
import { startTemporalServer } from '../../dev/temporal-server';
import type { TemporalServer } from '../../dev/temporal-server';
import { generateRecipient } from '../../sealing/recipient';
import { callApi } from '../support/api-call';
import { ask } from '../support/api-client';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { eventually } from '../support/lab';
import { provided } from '../support/stack';

/** So many signals the server takes for one workflow; by default 10,000. */
const LIMIT = 5;

let server: TemporalServer;
let lab: ApiLab;

beforeAll(async () => {
  const { tools, directory } = provided();
  server = await startTemporalServer({
    binary: tools.temporal,
    headless: true,
    settings: [`history.maximumSignalsPerExecution=${LIMIT}`],
    logFile: join(directory, 'signal-limit.log'),
  });
  lab = await openApiLab({ address: server.address });
}, 60_000);

afterAll(async () => {
  await lab.close();
  await server.stop();
});

function issue(holder = 'token:ci', idempotencyKey?: string): Promise<Lease> {
  const { client, namespace, deployment } = lab;
  return createLeaseService({ client, namespace, deployment }).issue({
    project: 'backend',
    config: 'prd',
    dynamicSecret: 'TOKEN',
    ttl: '1h',
    holder,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  });
}

/** Sends it as many signals as it takes, of those that change nothing. */
async function deafen({ leaseId }: Lease): Promise<void> {
  const handle = lab.handle(leaseId);
  for (let sent = 0; sent < LIMIT; sent += 1) await handle.signal('nudge');
  await expect(handle.signal('revoke')).rejects.toThrow();
}

test('a holder who gives up its lease for other keys again and again keeps nobody from revoking it', async () => {
  const { leaseId } = await issue('token:ci', 'mine');
  for (let asked = 0; asked < LIMIT + 1; asked += 1) {
    const { publicJwk } = await generateRecipient();
    const { body } = await callApi('POST', '/v1/leases/undelivered', {
      url: lab.url,
      token: lab.tokens['ci'],
      headers: { 'idempotency-key': 'mine' },
      body: { project: 'backend', config: 'prd', dynamic_secret: 'TOKEN', recipient_jwk: publicJwk },
    });
    expect(body).toEqual({ lease_id: leaseId, undelivered: 'left alone' });
  }
  const { events } = await lab.handle(leaseId).fetchHistory();
  expect(events?.filter((event) => event.workflowExecutionSignaledEventAttributes != null)).toEqual([]);
  await ask(lab, 'admin', 'POST', `/v1/leases/${leaseId}/revoke`, { reason: 'leaked' });
  expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked', endedBy: 'token:admin', reason: 'leaked' });
  expect(lab.provider.of(leaseId)).toEqual([]);
}, 60_000);

test('a lease that takes no more signals is revoked all the same, as often as that is asked for', async () => {
  const lease = await issue();
  await deafen(lease);
  lab.provider.fail('Unavailable', 'deprovision');
  const path = `/v1/leases/${lease.leaseId}/revoke`;
  for (let asked = 0; asked < 2; asked += 1) {
    expect(await ask(lab, 'admin', 'POST', path, { reason: 'leaked' })).toMatchObject({
      status: 202,
      body: { state: 'accepted' },
    });
  }
  lab.provider.heal();
  expect(await lab.outcome(lease.leaseId)).toMatchObject({
    state: 'revoked',
    endedBy: 'unknown',
    reason: 'cancelled in Temporal',
  });
  expect(lab.provider.of(lease.leaseId)).toEqual([]);
}, 60_000);

test('a bulk revoke ends a lease that takes no more signals along with the others', async () => {
  const leases = await Promise.all([issue('token:lost'), issue('token:lost'), issue('token:lost')]);
  await deafen(leases[0]);
  const { body } = await ask(lab, 'admin', 'POST', '/v1/revocations', { holder: 'token:lost', reason: 'laptop lost' });
  await eventually(
    async () => (await ask(lab, 'admin', 'GET', `/v1/revocations/${body.id}`)).body.state === 'done',
    'the bulk revoke to be done',
    60_000,
  );
  expect(leases.flatMap(({ leaseId }) => lab.provider.of(leaseId))).toEqual([]);
  for (const { leaseId } of leases) expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
}, 90_000);

test('a lease that takes no more signals keeps no other one from being nudged', async () => {
  lab.provider.fail('Unavailable', 'deprovision');
  const older = await issue();
  const deaf = await issue();
  for (const { leaseId } of [older, deaf]) await ask(lab, 'admin', 'POST', `/v1/leases/${leaseId}/revoke`);
  const handle = lab.handle(deaf.leaseId);
  for (let sent = 1; sent < LIMIT; sent += 1) await handle.signal('nudge');
  await expect(handle.signal('nudge')).rejects.toThrow();

  const config = { integrations: { memory: { limits: { callsPerSecond: 1_000 } } } } as unknown as Config;
  const deps = { config, client: lab.client, deployment: lab.deployment, connections: {} as Connections };
  await eventually(async () => {
    await new MockActivityEnvironment().run(() => nudgeWaiting(deps, { integration: 'memory' }));
    const { events } = await lab.handle(older.leaseId).fetchHistory();
    return events?.some((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'nudge') === true;
  }, 'the other one to be nudged');
  lab.provider.heal();
  for (const { leaseId } of [older, deaf]) expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
}, 90_000);
