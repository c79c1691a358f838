import { readFile, writeFile } from 'node:fs/promises';
import { randomLeaseId } from '../../client/lease-id';
import { generateRecipient, thumbprint } from '../../sealing/recipient';
import { ATTRIBUTES, LEASE_WORKFLOW, WORKFLOW_QUEUE } from '../../workflows/contract';
import type { LeaseInput } from '../../workflows/contract';
import { inFull } from '../support/full';
import { eventually, REQUEST, useLab } from '../support/lab';
import type { Lab } from '../support/lab';

/** How many credentials a lab's worker makes at once. */
const SLOTS = 20;
/** Many times what there are slots for. */
const FLOOD = inFull(500, 80);
const FLOOD_HOLDER = 'library:flood';
const OTHER = 'OTHER_READER';

let lab: Lab;

useLab(
  async (opened) => {
    lab = opened;
    await addOtherIntegration();
    await lab.startWorker();
  },
  { timings: { issue_timeout: '10m', attempt_timeout: '5s', consistency_window: '1s' } },
);

/** Alike, but for its name and the names of what it makes. */
async function addOtherIntegration(): Promise<void> {
  const config = JSON.parse(await readFile(lab.configFile, 'utf8')) as {
    integrations: Record<string, { connection: object }>;
    projects: { backend: { configs: { prd: { dynamic_secrets: Record<string, object> } } } };
  };
  const { aws } = config.integrations;
  const secrets = config.projects.backend.configs.prd.dynamic_secrets;
  config.integrations['other'] = { ...aws, connection: { ...aws!.connection, name_prefix: 'other' } };
  secrets[OTHER] = { ...secrets[REQUEST.dynamicSecret], integration: 'other' };
  await writeFile(lab.configFile, JSON.stringify(config));
}

/** Starts leases that nobody waits for, with one key pair for all: making pairs is not what is tried here. */
async function flood(): Promise<string[]> {
  const { publicJwk: recipient } = await generateRecipient();
  const { project, config, dynamicSecret } = REQUEST;
  const input: LeaseInput = {
    ...{ project, config, dynamicSecret, holder: FLOOD_HOLDER, ttlMs: null },
    ...{ recipient, thumbprint: await thumbprint(recipient) },
  };
  const typedSearchAttributes = [
    { key: ATTRIBUTES.state, value: 'provisioning' },
    { key: ATTRIBUTES.holder, value: FLOOD_HOLDER },
  ];
  const ids = Array.from({ length: FLOOD }, randomLeaseId);
  await inParallel(ids, (workflowId) =>
    lab.client.workflow.start(LEASE_WORKFLOW, {
      ...{ workflowId, taskQueue: WORKFLOW_QUEUE, args: [input], typedSearchAttributes },
    }),
  );
  return ids;
}

async function inParallel<T>(ids: readonly string[], act: (id: string) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  const left = [...ids];
  const run = async (): Promise<void> => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) results.push(await act(id));
  };
  await Promise.all(Array.from({ length: 20 }, run));
  return results;
}

/** How many leases of the flood are planned and wait for their credential, as the index has it. */
async function waiting(): Promise<number> {
  const query = `LeaseHolder = "${FLOOD_HOLDER}" AND LeaseState = "provisioning" AND LeaseIntegration = "aws"`;
  return (await lab.client.workflow.count(query)).count;
}

test(`while ${FLOOD} issues hang at a provider its leases are extended and end, and another integration does everything`, async () => {
  const [revoked, shortened] = await Promise.all(['30m', '10m'].map((ttl) => lab.leases.issue({ ...REQUEST, ttl })));
  let hanging = 0;
  lab.proxy.setOnCall(async (operation, phase, call) => {
    if (operation !== 'CreateUser' || phase !== 'before') return;
    if (!call.parameters.get('UserName')!.startsWith('leasehold-')) return;
    hanging += 1;
    await new Promise(() => undefined);
  });
  const ids = await flood();
  await eventually(async () => (await waiting()) === FLOOD && hanging >= SLOTS, 'all to wait', 60_000);

  expect(await revoked!.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
  expect(await lab.aws.identity(revoked!.credential)).toBe('InvalidClientTokenId');
  await shortened!.extend('1s');
  expect(await lab.outcome(shortened!.leaseId)).toMatchObject({ state: 'expired' });
  const other = await lab.leases.issue({ ...REQUEST, dynamicSecret: OTHER, ttl: '10m' });
  expect(await lab.aws.identity(other.credential)).toBe('ok');
  expect(await other.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
  expect(await lab.aws.usersLike(other.leaseId)).toEqual([]);
  expect(await waiting()).toBe(FLOOD);

  await inParallel(ids, (id) => lab.handle(id).signal('revoke'));
  const outcomes = await inParallel(ids, (id) => lab.outcome(id));
  expect(outcomes.filter(({ state, delivered }) => state !== 'revoked' || delivered)).toEqual([]);
  const prefix = (await lab.view(revoked!.leaseId)).entity!.replace(revoked!.leaseId, '');
  expect(await lab.aws.usersLike(prefix)).toEqual([]);
}, 120_000);
