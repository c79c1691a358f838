import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { makePair } from '../../client/pair';
import { randomLeaseId } from '../../client/lease-id';
import type { ConnectedLeases } from '../../client/temporal';
import { open, seal } from '../../sealing/seal';
import { thumbprint } from '../../sealing/recipient';
import { readBlocks } from '../../temporal/blocks';
import type { Deployment } from '../deployment';
import { FLOOR, WHOLE_SHAPE } from '../floor/shape';
import type { Floor } from '../floor/floor';
import { distributionOf, formatMs } from '../statistics';
import type { Distribution } from '../statistics';
import type { Table } from '../table';
import { medians } from './compare';
import { momentsOf, stepsTaken } from './moments';
import type { Step } from './moments';
import type { Raw } from './raw';
import { END_STEPS, ISSUE_STEPS } from './steps';
import { readWallClock } from './wall-clock';

export interface BreakdownOptions {
  readonly leases: ConnectedLeases;
  readonly what: Deployment['what'];
  readonly floor: Floor;
  readonly raw: Raw;
  /** How many of each. */
  readonly samples: number;
  readonly signal: AbortSignal;
}

/** Where the time of one issue and of one revoke goes. */
export interface Breakdown {
  readonly issue: Steps;
  readonly end: Steps;
  /** What can be measured alone, in milliseconds. */
  readonly alone: Readonly<Record<string, Distribution>>;
}

/** Medians in milliseconds, in the order of the steps. */
export interface Steps {
  readonly lease: readonly number[];
  readonly whole: readonly number[];
  readonly floor: readonly number[];
}

const KINDS = ['lease', 'whole', 'floor'] as const;
/** A pause, so that what is measured has the machine to itself. */
const SETTLE_MS = 50;

interface Begun {
  readonly id: string;
  end(): Promise<void>;
}

/** One after the other, in turns: a lease, a run of the same shape that does nothing, and a run of the floor. */
export async function breakDown(options: BreakdownOptions): Promise<Breakdown> {
  const { leases, what, floor, samples, signal } = options;
  const ofFloor = (shape: typeof FLOOR.shape) => async (): Promise<Begun> => {
    const id = await floor.begin(shape);
    return { id, end: () => floor.end(id) };
  };
  const begin: Readonly<Record<(typeof KINDS)[number], () => Promise<Begun>>> = {
    lease: async () => {
      const lease = await leases.issue({ ...what, holder: 'bench' });
      return {
        id: lease.leaseId,
        end: async () => {
          await lease.revoke({ wait: true });
        },
      };
    },
    whole: ofFloor(WHOLE_SHAPE.shape),
    floor: ofFloor(FLOOR.shape),
  };
  const issue: Record<(typeof KINDS)[number], (readonly number[])[]> = { lease: [], whole: [], floor: [] };
  const end: typeof issue = { lease: [], whole: [], floor: [] };
  // The first of each finds nothing warm.
  for (const kind of KINDS) await (await begin[kind]()).end();
  for (let sample = 0; sample < samples; sample += 1) {
    for (const kind of sample % 2 === 0 ? KINDS : [...KINDS].reverse()) {
      signal.throwIfAborted();
      const taken = await takeSteps(floor.client, begin[kind]);
      issue[kind].push(taken.issue);
      end[kind].push(taken.end);
    }
  }
  const mediansOf = (rows: typeof issue): Steps => ({
    lease: medians(rows.lease),
    whole: medians(rows.whole),
    floor: medians(rows.floor),
  });
  return { issue: mediansOf(issue), end: mediansOf(end), alone: await measureAlone(options) };
}

async function takeSteps(
  client: Client,
  begin: () => Promise<Begun>,
): Promise<{ readonly issue: readonly number[]; readonly end: readonly number[] }> {
  await sleep(SETTLE_MS);
  const clock = readWallClock();
  const issueFrom = clock();
  const begun = await begin();
  const issueTo = clock();
  await sleep(SETTLE_MS);
  const endFrom = clock();
  await begun.end();
  const endTo = clock();
  const moments = momentsOf(await client.workflow.getHandle(begun.id).fetchHistory());
  return {
    issue: stepsTaken(ISSUE_STEPS, moments, { from: issueFrom, to: issueTo }),
    end: stepsTaken(END_STEPS, moments, { from: endFrom, to: endTo }),
  };
}

async function measureAlone({ floor, raw, samples, signal }: BreakdownOptions): Promise<Breakdown['alone']> {
  const role = await raw.provision();
  await role.deprovision();
  const { credential } = role;
  const pair = await makePair();
  const leaseId = randomLeaseId();
  const sealed = await seal(credential, pair.publicJwk, leaseId);
  const timed = async (act: () => Promise<unknown>): Promise<Distribution> => {
    const durations: number[] = [];
    for (let sample = 0; sample < samples; sample += 1) {
      signal.throwIfAborted();
      const begun = performance.now();
      await act();
      durations.push(performance.now() - begun);
    }
    return distributionOf(durations);
  };
  const provisioning: number[] = [];
  const deprovisioning: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    signal.throwIfAborted();
    const begun = performance.now();
    const made = await raw.provision();
    const there = performance.now();
    await made.deprovision();
    provisioning.push(there - begun);
    deprovisioning.push(performance.now() - there);
  }
  return {
    'a key pair and its thumbprint': await timed(async () => thumbprint((await makePair()).publicJwk)),
    'sealing the credential': await timed(() => seal(credential, pair.publicJwk, leaseId)),
    'opening the credential': await timed(() => open(sealed, pair.privateKey, leaseId)),
    'one short question to Temporal, as of the blocks': await timed(() => readBlocks(floor.client)),
    "the provider's calls of provision": distributionOf(provisioning),
    "the provider's calls of deprovision": distributionOf(deprovisioning),
  };
}

export function breakdownTables({ issue, end, alone }: Breakdown): readonly Table[] {
  return [
    stepTable('Where the time of one issue goes', ISSUE_STEPS, issue),
    stepTable('Where the time of one revoke goes', END_STEPS, end),
    {
      title: 'What stands in these steps and can be measured alone',
      head: ['What', 'p50', 'p95'],
      rows: Object.entries(alone).map(([name, { p50, p95 }]) => [name, formatMs(p50), formatMs(p95)]),
    },
  ];
}

function stepTable(title: string, steps: readonly Step[], { lease, whole, floor }: Steps): Table {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const row = (name: string, values: readonly number[], share: string): string[] => {
    const [ofLease = 0, ofWhole = 0, ofFloor = 0] = values;
    return [name, formatMs(ofLease), share, formatMs(ofWhole), formatMs(ofFloor), formatMs(ofLease - ofFloor)];
  };
  return {
    title: `${title}: medians of each step, one caller`,
    head: ['Step', 'Lease', 'Share', 'Same shape, doing nothing', 'Floor', 'Lease - floor'],
    rows: [
      ...steps.map(({ name }, index) => {
        const values = [lease, whole, floor].map((each) => each[index] ?? Number.NaN);
        return row(name, values, `${(((values[0] ?? 0) / sum(lease)) * 100).toFixed(1)} %`);
      }),
      row('all steps', [lease, whole, floor].map(sum), '100 %'),
    ],
  };
}
