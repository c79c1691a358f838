import { Context } from '@temporalio/activity';
import { IntegrationError } from '../../activities/integrations/integration';
import { incidentId } from '../../workflows/contract';
import { inIncidentLab } from '../support/incident-lab';
import type { IncidentLab } from '../support/incident-lab';
import { eventually } from '../support/lab';
import { MEMORY_REQUEST } from '../support/memory-lab';

/** So often that the incident hands over to a new run. Many at once, as leases report, which is also less work than one by one. */
async function reportOften(lab: IncidentLab): Promise<void> {
  for (let batch = 0; batch < 10; batch += 1) {
    await Promise.all(Array.from({ length: 51 }, () => lab.handle(incidentId('memory')).signal('report')));
  }
}

// Each has a lab of its own, and most of its time it waits.

test.concurrent(
  'a webhook that is down gets the notices when it is back, in their order, and holds nobody else up',
  inIncidentLab(async (lab) => {
    await lab.startWorker();
    lab.receiver.answer(503);
    const leaseId = await lab.issue('10m');
    lab.provider.fail('Unavailable', 'deprovision');
    await lab.leases.revoke(leaseId);
    await eventually(async () => lab.audit.some(({ event }) => event === 'incident_opened'), 'the alert');
    lab.provider.heal();
    expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
    await eventually(async () => lab.audit.some(({ event }) => event === 'incident_closed'), 'the end', 40_000);
    expect(lab.receiver.received).toEqual([]);
    lab.receiver.answer(200);
    await lab.untilClosed();
    expect(lab.notices('json').map(({ kind }) => kind)).toEqual(['stuck', 'recovered']);
  }),
  180_000,
);

test.concurrent(
  'an audit log that cannot be written keeps nobody from being told',
  inIncidentLab(async (lab) => {
    await lab.startWorker();
    const leaseId = await lab.issue('10m');
    lab.breakAudit(true);
    lab.provider.fail('Unavailable', 'deprovision');
    await lab.leases.revoke(leaseId);
    await eventually(async () => lab.notices('json').length === 1, 'the alert');
    lab.provider.heal();
    await eventually(async () => lab.notices('json').length === 2, 'the recovery notice', 60_000);
    expect(await lab.stateOf(leaseId)).toBe('revoked');
    lab.breakAudit(false);
    await lab.untilClosed();
    expect(lab.audit.map(({ event }) => event)).toEqual(expect.arrayContaining(['incident_opened', 'incident_closed']));
  }),
  180_000,
);

test.concurrent(
  'an incident that is ended by hand, or hands over to a new run, is taken up again and tells people once',
  inIncidentLab(async (lab) => {
    const worker = await lab.startWorker();
    lab.receiver.answer(503);
    const leaseId = await lab.issue('10m');
    lab.provider.fail('Unavailable', 'deprovision');
    await lab.leases.revoke(leaseId);
    await lab.untilStuck(leaseId);
    await eventually(async () => lab.isOpen(), 'the incident');
    await lab.handle(incidentId('memory')).terminate('by mistake');
    lab.receiver.answer(200);
    // A worker looks for what nobody has told of when it starts, and every minute.
    await worker.stop();
    await lab.startWorker();
    await eventually(async () => lab.notices('json').length === 1, 'the alert');
    await reportOften(lab);
    await lab.handle(incidentId('memory')).cancel();
    await eventually(async () => !(await lab.isOpen()), 'the incident to be cancelled');
    lab.provider.heal();
    expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
    expect(lab.notices('json')).toHaveLength(1);
  }),
  180_000,
);

test.concurrent(
  'reports alone, however many, neither wake anybody nor hold the incident up',
  inIncidentLab(async (lab) => {
    await lab.startWorker({ config: { integration: { timings: { consistency_window: '0s', stuck_after: '1h' } } } });
    const leaseId = await lab.issue('10m');
    lab.provider.fail('Unavailable', 'deprovision');
    await lab.leases.revoke(leaseId);
    await eventually(async () => lab.isOpen(), 'the incident', 40_000);
    const { runId } = await lab.handle(incidentId('memory')).describe();
    await reportOften(lab);
    await eventually(
      async () => (await lab.handle(incidentId('memory')).describe()).runId !== runId,
      'the incident to hand over to a new run',
    );
    lab.provider.heal();
    expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
    await lab.untilClosed();
    expect(lab.receiver.received).toEqual([]);
  }),
  180_000,
);

test.concurrent(
  'an incident that hands over while a notice is on its way loses nothing and tells people once',
  inIncidentLab(async (lab) => {
    await lab.startWorker();
    lab.receiver.hang();
    const leaseId = await lab.issue('10m');
    lab.provider.fail('Unavailable', 'deprovision');
    await lab.leases.revoke(leaseId);
    await eventually(async () => lab.audit.some(({ event }) => event === 'incident_opened'), 'the alert');
    const incident = lab.handle(incidentId('memory'));
    const { runId } = await incident.describe();
    await reportOften(lab);
    await eventually(async () => (await incident.describe()).runId !== runId, 'the hand-over', 60_000);
    lab.receiver.answer(200);
    await eventually(async () => lab.notices('json').length === 1, 'the alert to arrive', 60_000);
    lab.provider.heal();
    expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
    await lab.untilClosed();
    expect(lab.notices('json').map(({ kind }) => kind)).toEqual(['stuck', 'recovered']);
  }),
  180_000,
);

test.concurrent(
  'a notice that is failed by hand is sent all the same',
  inIncidentLab(async (lab) => {
    await lab.startWorker();
    lab.receiver.hang();
    const leaseId = await lab.issue('10m');
    lab.provider.fail('Unavailable', 'deprovision');
    await lab.leases.revoke(leaseId);
    await lab.untilStuck(leaseId);
    const pending = async () => {
      const { raw } = await lab.handle(incidentId('memory')).describe();
      return (raw.pendingActivities ?? [])
        .filter(({ activityType }) => activityType?.name === 'notify')
        .map(({ activityId }) => activityId ?? '');
    };
    await eventually(async () => (await pending().catch(() => [])).length === 2, 'both notices');
    for (const activityId of await pending()) {
      await lab.connection.workflowService.respondActivityTaskFailedById({
        namespace: lab.namespace,
        workflowId: incidentId('memory'),
        activityId,
        failure: { message: 'by hand', applicationFailureInfo: { nonRetryable: true } },
      });
    }
    lab.receiver.answer(200);
    await eventually(async () => lab.notices('json').length === 1, 'the alert', 40_000);
    lab.provider.heal();
    expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
    await lab.untilClosed();
    expect(lab.notices('json').map(({ kind }) => kind)).toEqual(['stuck', 'recovered']);
  }),
  180_000,
);

test.concurrent(
  'a lease that is issued again under its id while the probe is about to remove what it left is not touched',
  inIncidentLab(async (lab) => {
    await lab.startWorker();
    const request = { ...MEMORY_REQUEST, ttl: '10m', idempotencyKey: 'again' };
    let isAway = true;
    let reissued: { readonly leaseId: string } | null = null;
    lab.provider.before = async (verb, name) => {
      if (verb !== 'deprovision' || !isAway) return;
      if (Context.current().info.activityType !== 'probe') {
        throw new IntegrationError('Unavailable', { operation: 'Delete', entity: name });
      }
      // While the probe is held here the provider is back: the lease ends by itself, and is issued again.
      isAway = false;
      const leaseId = name.split('-').at(-1)!;
      await lab.handle(leaseId).signal('nudge');
      await lab.outcome(leaseId);
      reissued = await lab.leases.issue(request);
    };
    // Made, but not written down and so never handed over: its end frees the idempotency key.
    lab.breakAudit(true);
    const failed = (await lab.leases.issue(request).catch((error: unknown) => error)) as { leaseId: string };
    lab.breakAudit(false);
    const { leaseId } = failed;
    expect(lab.provider.of(leaseId)).toHaveLength(1);
    await eventually(async () => reissued !== null, 'the second lease', 60_000);
    expect(reissued).toMatchObject({ leaseId });
    await eventually(async () => !(await lab.isOpen()), 'the incident to be over', 60_000);
    expect(lab.provider.of(leaseId)).toHaveLength(1);
    expect(await lab.stateOf(leaseId)).toBe('active');
    lab.provider.before = () => undefined;
    await lab.leases.revoke(leaseId, { wait: true });
  }),
  180_000,
);
