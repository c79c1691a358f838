import { IntegrationError } from '../../activities/integrations/integration';
import { openIncidentLab } from '../support/incident-lab';
import type { IncidentLab } from '../support/incident-lab';
import { eventually, pause } from '../support/lab';

let lab: IncidentLab;

beforeEach(async () => {
  lab = await openIncidentLab();
}, 60_000);

afterEach(() => lab.close());

/** A thousand are a matter of minutes: LEASEHOLD_TEST_LEASES=1000 has them all. */
const many = Number(process.env['LEASEHOLD_TEST_LEASES'] ?? 200);

test('a provider that comes back ends all its leases within seconds, with one alert and one recovery notice', async () => {
  await lab.startWorker();
  lab.provider.fail('Unavailable', 'deprovision');
  const ids: string[] = [];
  for (let batch = 0; batch < many / 50; batch += 1) {
    ids.push(...(await Promise.all(Array.from({ length: 50 }, () => lab.issue('2s')))));
  }
  // Attempts that fail back off further and further, as they do in an outage of an hour.
  await pause(20_000);
  expect(lab.provider.entities.size).toBe(many);
  expect(lab.notices('json').map(({ kind }) => kind)).toEqual(['stuck']);
  lab.provider.heal();
  await eventually(async () => lab.provider.entities.size === 0, 'all to be gone', 120_000);
  await lab.untilClosed();
  expect(lab.notices('json').map(({ kind }) => kind)).toEqual(['stuck', 'recovered']);
  expect(lab.notices('slack')).toHaveLength(2);
  for (const id of ids.slice(0, 20)) {
    expect(await lab.outcome(id)).toMatchObject({ state: 'expired' });
    expect((await lab.handle(id).describe()).historyLength).toBeLessThan(100);
  }
}, 300_000);

test('a right that was missing and is granted ends what waited for it', async () => {
  await lab.startWorker();
  const ids = await Promise.all([lab.issue('10m'), lab.issue('10m')]);
  lab.provider.fail('Refused', 'deprovision');
  await Promise.all(ids.map((id) => lab.leases.revoke(id)));
  await Promise.all(ids.map((id) => lab.untilStuck(id)));
  await eventually(async () => lab.notices('json').length > 0, 'the alert');
  expect(lab.notices('json')[0]).toMatchObject({ kind: 'stuck', text: expect.stringContaining('was not permitted') });
  expect(lab.provider.entities.size).toBe(2);
  lab.provider.heal();
  for (const id of ids) expect(await lab.outcome(id)).toMatchObject({ state: 'revoked' });
  expect(lab.provider.entities.size).toBe(0);
  await lab.untilClosed();
  expect(lab.notices('json').map(({ kind }) => kind)).toEqual(['stuck', 'recovered']);
  expect(lab.audit.filter(({ event }) => event.startsWith('incident')).map(({ event }) => event)).toEqual([
    'incident_opened',
    'incident_closed',
  ]);
  expect(lab.events(ids[0])).toEqual(['issued', 'stuck', 'revoked']);
}, 90_000);

test('failures that nobody is stuck by wake nobody', async () => {
  await lab.startWorker({ config: { integration: { timings: { consistency_window: '0s', stuck_after: '1h' } } } });
  const leaseId = await lab.issue('10m');
  lab.provider.fail('Throttled', 'deprovision');
  await lab.leases.revoke(leaseId);
  await eventually(async () => lab.provider.calls.deprovision >= 4, 'four attempts', 40_000);
  lab.provider.heal();
  expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
  await lab.untilClosed();
  expect(lab.receiver.received).toEqual([]);
}, 90_000);

test('an integration that left the configuration keeps its leases stuck, with that reason, until it is back', async () => {
  const first = await lab.startWorker();
  const leaseId = await lab.issue('3s');
  await first.stop();
  const without = await lab.startWorker({ config: { name: null } });
  await lab.untilStuck(leaseId);
  await eventually(
    async () => lab.notices('json').some(({ text }) => text.includes('does one serve this integration')),
    'the alert',
  );
  await eventually(async () => {
    const description = await lab.handle(leaseId).describe();
    return JSON.stringify(await lab.handle(leaseId).query('__temporal_workflow_metadata')).includes(
      'Put the entry back',
    )
      ? description.closeTime === undefined
      : false;
  }, 'the reason on the page');
  await without.stop();
  await lab.startWorker();
  expect(await lab.outcome(leaseId)).toMatchObject({ state: 'expired' });
  expect(lab.provider.entities.size).toBe(0);
  await lab.untilClosed();
  expect(lab.notices('json').map(({ kind }) => kind)).toEqual(['stuck', 'recovered']);
}, 90_000);

test('a retired integration issues nothing and ends, extends and sweeps what it issued', async () => {
  const first = await lab.startWorker();
  const leaseId = await lab.issue('10m');
  await first.stop();
  await lab.startWorker({ config: { integration: { retired: true } } });
  await expect(lab.issue('10m')).rejects.toMatchObject({ code: 'IntegrationRetired' });
  await lab.leases.extend(leaseId, '20m');
  expect(await lab.leases.revoke(leaseId, { wait: true })).toMatchObject({ state: 'revoked' });
  expect(lab.provider.entities.size).toBe(0);
}, 60_000);

test('an entity that can never be removed does not keep the others waiting', async () => {
  await lab.startWorker();
  const ids = await Promise.all(Array.from({ length: 6 }, () => lab.issue('10m')));
  const [stubborn] = lab.provider.of(ids[0]!);
  let isDown = true;
  lab.provider.before = (verb, name) => {
    if (verb !== 'deprovision' || (!isDown && name !== stubborn)) return;
    throw new IntegrationError('Refused', { operation: 'Delete', entity: name });
  };
  await Promise.all(ids.map((id) => lab.leases.revoke(id)));
  await Promise.all(ids.map((id) => lab.untilStuck(id)));
  isDown = false;
  for (const id of ids.slice(1)) expect(await lab.outcome(id)).toMatchObject({ state: 'revoked' });
  expect(await lab.stateOf(ids[0]!)).toBe('stuck');
  await eventually(async () => lab.notices('json').length > 0, 'the alert');
  await lab.handle(ids[0]!).signal('abandon', { by: 'ada' });
  await lab.untilClosed();
  expect(lab.notices('json').map(({ kind }) => kind)).toEqual(['stuck', 'recovered']);
}, 180_000);
