import { IntegrationError } from '../../activities/integrations/integration';
import { inIncidentLab } from '../support/incident-lab';
import { eventually } from '../support/lab';

// Each has a lab of its own, and most of its time it waits.

test.concurrent(
  'a right that was missing and is granted ends what waited for it',
  inIncidentLab(async (lab) => {
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
  }),
  180_000,
);

test.concurrent(
  'a trouble that is over ends although other removals are under way all the time',
  inIncidentLab(async (lab) => {
    const patient = await lab.startWorker({ config: { integration: { timings: { consistency_window: '1h' } } } });
    const waiting = await lab.issue('10m');
    await patient.stop();
    await lab.startWorker();
    const troubled = await lab.issue('10m');
    lab.provider.fail('Unavailable', 'deprovision');
    await lab.leases.revoke(troubled);
    await lab.untilStuck(troubled);
    await eventually(async () => lab.notices('json').length === 1, 'the alert');
    lab.provider.heal();
    // Its entity is not there, which proves nothing for an hour: as with a session that nobody can end before its time.
    lab.provider.entities.delete(lab.provider.of(waiting)[0]!);
    await lab.leases.revoke(waiting);
    expect(await lab.outcome(troubled)).toMatchObject({ state: 'revoked' });
    await lab.untilClosed();
    expect(lab.notices('json').map(({ kind }) => kind)).toEqual(['stuck', 'recovered']);
    expect(lab.audit.map(({ event }) => event)).toContain('incident_closed');
    expect(await lab.stateOf(waiting)).toBe('deprovisioning');
    await lab.handle(waiting).signal('abandon', { by: 'ada' });
  }),
  180_000,
);

test.concurrent(
  'failures that nobody is stuck by wake nobody',
  inIncidentLab(async (lab) => {
    await lab.startWorker({ config: { integration: { timings: { consistency_window: '0s', stuck_after: '1h' } } } });
    const leaseId = await lab.issue('10m');
    lab.provider.fail('Throttled', 'deprovision');
    await lab.leases.revoke(leaseId);
    await eventually(async () => lab.provider.calls.deprovision >= 4, 'four attempts', 40_000);
    lab.provider.heal();
    expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
    await lab.untilClosed();
    expect(lab.receiver.received).toEqual([]);
  }),
  180_000,
);

test.concurrent(
  'an integration that left the configuration keeps its leases stuck, with that reason, until it is back',
  inIncidentLab(async (lab) => {
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
  }),
  180_000,
);

test.concurrent(
  'a retired integration issues nothing and ends, extends and sweeps what it issued',
  inIncidentLab(async (lab) => {
    const first = await lab.startWorker();
    const leaseId = await lab.issue('10m');
    await first.stop();
    await lab.startWorker({ config: { integration: { retired: true } } });
    await expect(lab.issue('10m')).rejects.toMatchObject({ code: 'IntegrationRetired' });
    await lab.leases.extend(leaseId, '20m');
    expect(await lab.leases.revoke(leaseId, { wait: true })).toMatchObject({ state: 'revoked' });
    expect(lab.provider.entities.size).toBe(0);
  }),
  180_000,
);

test.concurrent(
  'an entity that can never be removed does not keep the others waiting',
  inIncidentLab(async (lab) => {
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
  }),
  180_000,
);
