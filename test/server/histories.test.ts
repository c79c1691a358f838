import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { version } from '../../package.json';
import { liftBlock, listBlocks } from '../../client/blocks';
import { prepareBulkRevoke, startBulkRevoke } from '../../client/bulk';
import {
  BLOCKS_WORKFLOW,
  bulkRevokeId,
  CHECK_WORKFLOW,
  incidentId,
  SWEEP_WORKFLOW,
  sweepId,
  WORKFLOW_QUEUE,
} from '../../workflows/contract';
import type { IntegrationInput, SweepInput } from '../../workflows/contract';
import { eventually, REQUEST, useLab } from '../support/lab';
import type { Lab } from '../support/lab';
import { replay } from '../support/replay';
import { provided } from '../support/stack';

const run = promisify(execFile);

// Each path that a lease can take is run, and its history replayed at once: a workflow that is not deterministic fails
// here. With LEASEHOLD_RECORD=1 the histories are written to test/histories/<version>, where later releases must replay them.

let lab: Lab;

useLab(async (opened) => {
  lab = opened;
  await lab.startWorker();
});

/** The id of the lease whose user is being made when this operation is asked for. */
function duringProvision(operation: string, act: (leaseId: string) => Promise<unknown>): () => string {
  let leaseId = '';
  lab.proxy.setOnCall(async (called, phase, call) => {
    if (called !== operation || phase !== 'before' || leaseId !== '') return;
    leaseId = call.parameters.get('UserName')!.split('-').at(-1)!;
    await act(leaseId);
  });
  return () => leaseId;
}

const paths: Readonly<Record<string, () => Promise<string>>> = {
  expired: async () => (await lab.leases.issue({ ...REQUEST, ttl: '1s' })).leaseId,
  revoked: async () => {
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    await lease.revoke({ reason: 'recorded' });
    return lease.leaseId;
  },
  'revoked-by-hand': async () => {
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    await lab.handle(lease.leaseId).signal('revoke');
    return lease.leaseId;
  },
  cancelled: async () => {
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    await lab.handle(lease.leaseId).cancel();
    return lease.leaseId;
  },
  'revoked-while-provisioning': async () => {
    const leaseId = duringProvision('CreateAccessKey', (id) => lab.handle(id).signal('revoke', { by: 'ada' }));
    await expect(lab.leases.issue({ ...REQUEST, ttl: '10m' })).rejects.toThrow();
    return leaseId();
  },
  'cancelled-while-provisioning': async () => {
    const leaseId = duringProvision('CreateUser', (id) => lab.handle(id).cancel());
    await expect(lab.leases.issue({ ...REQUEST, ttl: '10m' })).rejects.toThrow();
    return leaseId();
  },
  'failed-in-plan': async () => {
    const failure: unknown = await lab.leases.issue({ ...REQUEST, ttl: '2h' }).catch((error: unknown) => error);
    return (failure as { leaseId: string }).leaseId;
  },
  'failed-in-provision': async () => {
    lab.proxy.fault({ operation: 'PutUserPolicy', kind: 'error', status: 400, code: 'MalformedPolicyDocument' });
    const failure: unknown = await lab.leases.issue({ ...REQUEST, ttl: '10m' }).catch((error: unknown) => error);
    return (failure as { leaseId: string }).leaseId;
  },
  'provisioned-at-the-second-attempt': async () => {
    lab.proxy.fault({ operation: 'CreateAccessKey', kind: 'lost-answer' });
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '1s' });
    return lease.leaseId;
  },
  extended: async () => {
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    await lease.extend('20m');
    await expect(lease.extend('2h')).rejects.toThrow();
    await lease.extend('1s');
    return lease.leaseId;
  },
  'stuck-and-nudged': async () => {
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    lab.proxy.fault({ operation: 'DeleteUser', kind: 'html-503', times: 1_000 });
    await lease.revoke({});
    await lab.until(lease.leaseId, 'stuck');
    lab.proxy.clearFaults();
    await lab.handle(lease.leaseId).signal('nudge');
    return lease.leaseId;
  },
  abandoned: async () => {
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    await lab.handle(lease.leaseId).signal('abandon', 'too early, ignored');
    lab.proxy.fault({ operation: 'DeleteUser', kind: 'html-503', times: 1_000 });
    await lease.revoke({});
    await lab.until(lease.leaseId, 'stuck');
    await lab.handle(lease.leaseId).signal('abandon', { by: 'ada', reason: 'account closed' });
    return lease.leaseId;
  },
  incident: async () => {
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    lab.proxy.fault({ operation: 'DeleteUser', kind: 'html-503', times: 1_000 });
    await lease.revoke({});
    await lab.until(lease.leaseId, 'stuck');
    await eventually(async () => lab.logs().includes('"event":"incident_opened"'), 'the incident to be opened');
    lab.proxy.clearFaults();
    await lab.outcome(lease.leaseId);
    return incidentId('aws');
  },
  sweep: async () => {
    const workflowId = sweepId('aws');
    await lab.client.workflow.start(SWEEP_WORKFLOW, {
      taskQueue: WORKFLOW_QUEUE,
      workflowId,
      args: [{ integration: 'aws', dryRun: true, deployment: null } satisfies SweepInput],
    });
    return workflowId;
  },
  'bulk-revoke': async () => {
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m', holder: 'leaver' });
    const asked = prepareBulkRevoke({ filter: { holder: 'library:leaver' }, by: 'token:ada', reason: 'recorded' });
    await startBulkRevoke(lab, asked);
    await lab.outcome(lease.leaseId);
    return bulkRevokeId(asked.id);
  },
  blocks: async () => {
    for (const { id } of await listBlocks(lab)) await liftBlock(lab, id);
    return BLOCKS_WORKFLOW;
  },
  check: async () => {
    const workflowId = 'check/aws/recorded';
    const args: [IntegrationInput] = [{ integration: 'aws' }];
    await lab.client.workflow.start(CHECK_WORKFLOW, { taskQueue: WORKFLOW_QUEUE, workflowId, args });
    return workflowId;
  },
};

/** Those that go on for as long as there is the namespace. */
const ENDLESS = ['blocks'];

test.each(Object.entries(paths))(
  'the history of what is %s replays',
  async (name, path) => {
    const workflowId = await path();
    if (!ENDLESS.includes(name)) await lab.handle(workflowId).result();
    const history = await lab.handle(workflowId).fetchHistory();
    await replay(history, workflowId);
    if (process.env['LEASEHOLD_RECORD'] === '1') await record(name, workflowId);
  },
  60_000,
);

test('of this release each of these paths was recorded', async () => {
  const recorded = await readdir(join(__dirname, `../histories/${version}`));
  expect(recorded.sort()).toEqual(
    Object.keys(paths)
      .map((name) => `${name}.json`)
      .sort(),
  );
});

/** As Temporal's command line writes it, which is what its replayers read. */
async function record(name: string, workflowId: string): Promise<void> {
  const at = ['--address', lab.address, '--namespace', lab.namespace];
  const show = ['workflow', 'show', '-w', workflowId, '--output', 'json', ...at];
  const { stdout } = await run(provided().tools.temporal, show, { maxBuffer: 64 * 1024 * 1024 });
  const directory = join(__dirname, `../histories/${version}`);
  await mkdir(directory, { recursive: true });
  // Stack traces name the place of this checkout. What was recorded of a release stays as it is.
  await writeFile(join(directory, `${name}.json`), stdout.replaceAll(join(__dirname, '../..'), ''), { flag: 'wx' });
}
