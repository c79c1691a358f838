import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { createAdmission } from '../../../activities/admission';
import type { DynamicSecret } from '../../../config/load';
import type { LeaseInput } from '../../../workflows/contract';

const INPUT = { project: 'backend', config: 'prd', dynamicSecret: 'TOKEN', holder: 'tester' } as LeaseInput;
const ATTRIBUTES: Readonly<Record<string, string>> = {
  LeaseProject: 'backend',
  LeaseConfig: 'prd',
  LeaseDynamicSecret: 'TOKEN',
  LeaseHolder: 'tester',
  LeaseIntegration: 'memory',
  LeaseState: 'active',
};

/** A Temporal that needs a moment for each answer and counts what it is asked. */
function temporal(live: readonly string[]) {
  const asked = { count: 0, list: 0, describe: 0 };
  const atOnce = { now: 0, most: 0 };
  const infoOf = (workflowId: string) => ({
    workflowId,
    status: { name: 'RUNNING' },
    startTime: new Date(),
    typedSearchAttributes: { get: ({ name }: { name: string }) => ATTRIBUTES[name] },
  });
  const client = {
    withDeadline: <T>(_: number, act: () => Promise<T>) => act(),
    workflow: {
      count: async () => {
        asked.count += 1;
        await sleep(1);
        return { count: live.length };
      },
      list: async function* () {
        asked.list += 1;
        await sleep(1);
        yield* live.map(infoOf);
      },
      getHandle: (id: string) => ({
        describe: async () => {
          asked.describe += 1;
          atOnce.now += 1;
          atOnce.most = Math.max(atOnce.most, atOnce.now);
          await sleep(1);
          atOnce.now -= 1;
          return infoOf(id);
        },
      }),
    },
  };
  return { client: client as unknown as Client, asked, atOnce };
}

/** Asks for so many leases at once and answers which were let in and how the others were refused. */
async function ask(client: Client, many: number, limits: Partial<DynamicSecret>) {
  const admission = createAdmission(client);
  const dynamicSecret = { maxLeases: null, maxLeasesPerHolder: null, ...limits } as DynamicSecret;
  const signal = new AbortController().signal;
  const answers = await Promise.allSettled(
    Array.from({ length: many }, (_, index) => admission.admit(`lease-${String(index)}`, INPUT, dynamicSecret, signal)),
  );
  return {
    letIn: answers.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : [])),
    refusals: answers.flatMap((answer) =>
      answer.status === 'rejected' ? [(answer.reason as { type: string }).type] : [],
    ),
  };
}

const liveLeases = (many: number): string[] => Array.from({ length: many }, (_, index) => `live-${String(index)}`);

test('leases that wait at a limit that is reached are all refused by one look at those that live', async () => {
  const { client, asked } = temporal(liveLeases(40));
  const { letIn, refusals } = await ask(client, 20, { maxLeases: 40 });
  expect(letIn).toEqual([]);
  expect(refusals).toEqual(Array(20).fill('QuotaExceeded'));
  // One look for the first, and one for all that came while it was taken.
  expect(asked).toEqual({ count: 2, list: 2, describe: 80 });
});

test('the leases that live are asked about several at a time, and not all at once', async () => {
  const { client, atOnce } = temporal(liveLeases(40));
  await ask(client, 1, { maxLeases: 40 });
  expect(atOnce.most).toBe(8);
});

test('those who came first are let in as far as there is room, and the others refused', async () => {
  const { client } = temporal(liveLeases(3));
  const { letIn, refusals } = await ask(client, 10, { maxLeases: 7, maxLeasesPerHolder: 7 });
  expect(letIn).toEqual([0, 1, 2, 3]);
  expect(refusals).toEqual(Array(6).fill('QuotaExceeded'));
});

test('a lease that comes once a limit was found reached has it looked at anew', async () => {
  const live = liveLeases(4);
  const { client } = temporal(live);
  const admission = createAdmission(client);
  const signal = new AbortController().signal;
  const dynamicSecret = { maxLeases: 4, maxLeasesPerHolder: null } as DynamicSecret;
  await expect(admission.admit('early', INPUT, dynamicSecret, signal)).rejects.toMatchObject({ type: 'QuotaExceeded' });
  live.pop();
  await admission.admit('late', INPUT, dynamicSecret, signal);
});
