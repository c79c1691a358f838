import { inIncidentLab } from '../support/incident-lab';
import { inFull } from '../support/full';
import { eventually, pause } from '../support/lab';

/** A thousand are a matter of minutes: LEASEHOLD_TEST_LEASES=1000 has them all. */
const many = Number(process.env['LEASEHOLD_TEST_LEASES'] ?? inFull(200, 50));

test(
  'a provider that comes back ends all its leases within seconds, with one alert and one recovery notice',
  inIncidentLab(async (lab) => {
    await lab.startWorker();
    lab.provider.fail('Unavailable', 'deprovision');
    const ids: string[] = [];
    for (let batch = 0; batch < many / 50; batch += 1) {
      ids.push(...(await Promise.all(Array.from({ length: 50 }, () => lab.issue('2s')))));
    }
    // Attempts that fail back off further and further, as they do in an outage of an hour.
    await pause(inFull(20_000, 10_000));
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
  }),
  300_000,
);
