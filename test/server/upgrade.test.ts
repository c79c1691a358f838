import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { liftBlock, listBlocks } from '../../client/blocks';
import { prepareBulkRevoke, startBulkRevoke } from '../../client/bulk';
import {
  bulkRevokeId,
  incidentId,
  lease as leaseQuery,
  SWEEP_WORKFLOW,
  sweepId,
  WORKFLOW_QUEUE,
} from '../../workflows/contract';
import type { LeaseState, SweepInput } from '../../workflows/contract';
import { isFull } from '../support/full';
import { eventually } from '../support/lab';
import { MEMORY_REQUEST, openMemoryLab } from '../support/memory-lab';
import type { MemoryLab, RunningWorker } from '../support/memory-lab';

// What was under way in the workflows of each release that was kept goes on in those of this one. Clients and the workers that make and
// remove credentials are this release's from the beginning: in a rolling upgrade they may well be first.

const directory = join(__dirname, '../releases');
const versions = readdirSync(directory);
const WORKFLOWS = { workflows: true, integrations: [] };
/** A short run begins at the oldest release that knows what is tried. */
const since = (first: string): readonly string[] => {
  const known = versions.slice(versions.indexOf(first));
  return isFull ? known : known.slice(0, 1);
};

let lab: MemoryLab;

beforeEach(async () => {
  lab = await openMemoryLab();
  await lab.startWorker({ share: { workflows: false, integrations: null } });
}, 60_000);

afterEach(() => lab.close(), 60_000);

function startOld(version: string): Promise<RunningWorker> {
  const code = gunzipSync(readFileSync(join(directory, version, 'workflow-bundle.js.gz'))).toString();
  return lab.startWorker({ share: WORKFLOWS, workflowBundle: { code } });
}

function startNew(): Promise<RunningWorker> {
  return lab.startWorker({ share: WORKFLOWS });
}

async function issue(ttl: string, holder = 'tester'): Promise<string> {
  const { leaseId } = await lab.leases.issue({ ...MEMORY_REQUEST, ttl, holder });
  expect(lab.provider.of(leaseId)).toHaveLength(1);
  return leaseId;
}

async function until(leaseId: string, state: LeaseState): Promise<void> {
  await eventually(async () => (await lab.handle(leaseId).query(leaseQuery)).state === state, `it to be ${state}`);
}

/** Waits until the index, by which workers find what they have to see to, knows so many leases in a state. */
async function untilIndexed(state: LeaseState, count: number): Promise<void> {
  const query = `LeaseState = "${state}"`;
  await eventually(async () => (await lab.client.workflow.count(query)).count === count, `${count} to be ${state}`);
}

/** Holds the calls of a verb until it is let go. */
function hold(verb: 'provision' | 'list'): { readonly untilAsked: () => Promise<void>; readonly letGo: () => void } {
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  let isAsked = false;
  lab.provider.before = async (asked) => {
    if (asked !== verb) return;
    isAsked = true;
    await held;
  };
  return { untilAsked: () => eventually(async () => isAsked, verb), letGo };
}

test.each(versions)(
  'leases of %s are extended, revoked, cancelled, shortened and expire under this release',
  async (version) => {
    const old = await startOld(version);
    const [revoked, extended, cancelled, shortened] = [
      await issue('30m'),
      await issue('30m'),
      await issue('30m'),
      await issue('30m'),
    ];
    const expired = await issue('3s');
    await lab.leases.extend(extended, '1h');
    const { untilAsked, letGo } = hold('provision');
    const delivered = lab.leases.issue({ ...MEMORY_REQUEST, ttl: '30m' });
    await untilAsked();
    await old.stop();
    await startNew();
    letGo();
    // Its caller asked the old workflow.
    const late = (await delivered).leaseId;

    await lab.leases.extend(extended, '2h');
    await lab.leases.extend(shortened, '1s');
    await lab.handle(cancelled).cancel();
    for (const leaseId of [revoked, extended, late]) {
      expect(await lab.leases.revoke(leaseId, { wait: true })).toMatchObject({ state: 'revoked' });
    }
    expect(await lab.outcome(cancelled)).toMatchObject({ state: 'revoked' });
    expect(await lab.outcome(shortened)).toMatchObject({ state: 'expired' });
    expect(await lab.outcome(expired)).toMatchObject({ state: 'expired' });
    expect([...lab.provider.entities.keys()]).toEqual([]);
  },
);

test.each(since('0.1.0'))(
  'leases stuck under %s are abandoned or end under this release once the provider is back',
  async (version) => {
    const old = await startOld(version);
    const [one, other, hopeless] = [await issue('30m'), await issue('30m'), await issue('30m')];
    lab.provider.fail('Unavailable', 'deprovision');
    for (const leaseId of [one, other, hopeless]) await lab.leases.revoke(leaseId);
    for (const leaseId of [one, other, hopeless]) await until(leaseId, 'stuck');
    await untilIndexed('stuck', 3);
    await old.stop();
    await startNew();
    await eventually(async () => {
      const described = await lab
        .handle(incidentId('memory'))
        .describe()
        .catch(() => null);
      return described?.status.name === 'RUNNING';
    }, 'the incident, of the old release or reopened by this one');
    await lab.handle(hopeless).signal('abandon', { by: 'ada', reason: 'account closed' });
    expect(await lab.outcome(hopeless)).toMatchObject({ state: 'abandoned' });
    lab.provider.heal();
    for (const leaseId of [one, other]) {
      expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
      expect(lab.provider.of(leaseId)).toEqual([]);
    }
  },
  60_000,
);

test.each(since('0.2.0'))('a sweep begun under %s removes what it found under this release', async (version) => {
  const old = await startOld(version);
  const leaseId = await issue('30m');
  await lab.handle(leaseId).terminate('by mistake');
  const { untilAsked, letGo } = hold('list');
  await lab.client.workflow.start(SWEEP_WORKFLOW, {
    taskQueue: WORKFLOW_QUEUE,
    workflowId: sweepId('memory'),
    args: [{ integration: 'memory', dryRun: false, deployment: null } satisfies SweepInput],
  });
  await untilAsked();
  await old.stop();
  await startNew();
  letGo();
  expect(await lab.handle(sweepId('memory')).result()).toMatchObject({ removed: 1 });
  expect(lab.provider.of(leaseId)).toEqual([]);
});

test.each(since('0.3.0'))(
  'a bulk revoke and a block of %s hold under this release',
  async (version) => {
    const old = await startOld(version);
    const ids = [await issue('30m', 'leaver'), await issue('30m', 'leaver'), await issue('30m')];
    await untilIndexed('active', 3);
    const asked = prepareBulkRevoke({ filter: { holder: 'library:leaver' }, by: 'token:ada', reason: 'lost' });
    await startBulkRevoke(lab, asked);
    // Its rounds are five seconds apart.
    await eventually(async () => (await listBlocks(lab)).length === 1, 'the block');
    await old.stop();
    await startNew();
    await expect(issue('30m', 'leaver')).rejects.toMatchObject({ code: 'Blocked' });
    for (const leaseId of ids.slice(0, 2)) expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
    await lab.handle(bulkRevokeId(asked.id)).result();
    for (const { id } of await listBlocks(lab)) await liftBlock(lab, id);
    const again = await issue('30m', 'leaver');
    for (const leaseId of [again, ids[2]!]) await lab.leases.revoke(leaseId, { wait: true });
    expect([...lab.provider.entities.keys()]).toEqual([]);
  },
  60_000,
);

describe('while workers of both releases take the steps of leases', () => {
  test.each(since('0.2.0'))(
    'those of %s and of this one pass leases to each other and back',
    async (version) => {
      const old = await startOld(version);
      const fresh = await startNew();
      const round = async (ttl: string): Promise<void> => {
        const leaseId = await issue('30m');
        await lab.leases.extend(leaseId, '1h');
        if (ttl === '') await lab.leases.revoke(leaseId);
        else await lab.leases.extend(leaseId, ttl);
        expect(await lab.outcome(leaseId)).toMatchObject({ state: ttl === '' ? 'revoked' : 'expired' });
        expect(lab.provider.of(leaseId)).toEqual([]);
      };
      const kept = [await issue('30m'), await issue('30m'), await issue('30m'), await issue('30m')];
      await Promise.all(Array.from({ length: 8 }, (_, index) => round(index % 2 === 0 ? '' : '1s')));
      // What is in a worker's memory is replayed by the other, in either direction.
      await old.stop();
      for (const leaseId of kept) await lab.leases.extend(leaseId, '1h');
      const back = await startOld(version);
      await fresh.stop();
      for (const leaseId of kept) await lab.leases.revoke(leaseId, { wait: true });
      await back.stop();
      expect([...lab.provider.entities.keys()]).toEqual([]);
    },
    60_000,
  );

  test('one of 0.1.0 among them keeps no lease from ending once it is gone', async () => {
    const old = await startOld('0.1.0');
    await startNew();
    const ids = await Promise.all(Array.from({ length: 10 }, () => issue('30m')));
    for (const leaseId of ids) await lab.leases.revoke(leaseId);
    await old.stop();
    for (const leaseId of ids) expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
    expect([...lab.provider.entities.keys()]).toEqual([]);
  }, 60_000);
});
