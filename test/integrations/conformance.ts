import { randomUUID } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { generateRecipient } from '../../sealing/recipient';
import type { DeprovisionInput } from '../../workflows/contract';
import { historyText, spellings } from '../support/canaries';
import { describeIf } from '../support/describe-if';
import { cutOffAttempts } from './cut-off';
import { CHANGES, openScene } from './changes';
import type { Scene } from './changes';
import { chooseCases } from './matrix';
import { stallAttempts } from './stalls';
import { createPool, failuresOf } from './pool';
import type { Pool } from './pool';
import { KINDS } from './subject';
import type { Bench, Kind, Subject } from './subject';
import { FATAL, FaultMissed, nameOf, openTrials, settle } from './trial';
import type { Paths, Step, Trials } from './trial';

/** Leases that run at the same time: most of their time they wait, for a call that hangs or for the next attempt. */
const AT_ONCE = 20;

const TIMINGS = {
  // A lease that is not delivered is a failure, so that only a busy machine needs this long.
  issue_timeout: '80s',
  // Shorter than a client waits for a call that hangs, so that the next attempt begins while it still does.
  attempt_timeout: '7s',
  heartbeat_timeout: '3s',
  // Longer than what lies between a delivery and the first call of its removal, however busy the machine.
  consistency_window: '8s',
  stuck_after: '2s',
};

/** Leases of one target that are alive at the same time. */
const CROWD = 50;

/** All cases run at once; each test waits for its own and then some. */
const LONG_MS = 240_000;

/** Names and reasons that mean something to some parser on the way. */
const HOSTILE = [
  `"; DROP TABLE leases; -- ' \\ "`,
  '<script>alert(1)</script> & %00 %0a',
  '🎅 Дед Мороз',
  '${jndi:ldap://x} $(id) `id` {{7*7}}',
  '../../etc/passwd',
  'x'.repeat(10_000),
];

/**
 * What every integration promises, tried with whole leases: a real worker process, a real Temporal server, and the provider
 * behind a proxy that makes its calls fail. Knows no provider: the calls that are made to fail are those that a lease of this
 * subject was seen to make.
 */
export function describeConformance(subject: Subject): void {
  describeIf(subject.missing ?? null, `a lease of ${subject.name}`, () => {
    const echo = `CANARY${randomUUID().replaceAll('-', '')}`;
    let bench: Bench;
    let trials: Trials;
    let paths: Paths;
    let scene: Scene | undefined;

    const starters: (() => void)[] = [];
    const started: Promise<unknown>[] = [];
    const pool = createPool(AT_ONCE);

    /**
     * Cases that all start at once, so that all of them together take little longer than the longest. Answers what
     * waits for those of one name and tells what went wrong.
     */
    function together<Name extends string, Case>(
      names: readonly Name[],
      cases: (name: Name) => readonly Case[],
      nameCase: (each: Case) => string,
      run: (name: Name, each: Case) => Promise<void>,
      { isDangerous = () => false, slots = pool }: TogetherOptions<Name, Case> = {},
    ): (name: Name) => Promise<string[]> {
      const groups = new Map<Name, Promise<string[]>>();
      starters.push(() => {
        for (const [name, chosen] of chooseCases(names, cases, isDangerous)) {
          const failures = failuresOf(slots, chosen, nameCase, (each) => untilHit(() => run(name, each)));
          groups.set(name, failures);
          started.push(failures);
        }
      });
      return (name) => groups.get(name)!;
    }

    beforeAll(async () => {
      bench = await subject.open({ timings: TIMINGS, slots: CROWD, echo });
      await bench.lab.startWorker();
      trials = await openTrials(bench);
      paths = await trials.discover();
    }, 60_000);

    afterAll(async () => {
      await Promise.all(started);
      await scene?.bench.close();
      await bench.close();
    }, LONG_MS);

    test('makes calls that can be made to fail, up and down', () => {
      for (const path of [paths.provision, paths.removal, paths.secondAttempt, paths.clearance]) {
        expect(path.filter(({ effect }) => effect !== 'none')).not.toEqual([]);
      }
      expect(paths.provision.filter(({ effect }) => effect === 'credential')).toHaveLength(1);
    });

    // By itself: on a busy machine a stopped process is away for so long that other defences than the fence come first.
    test(
      'is delivered once where its attempts are stopped before any change, and wake after others did their work',
      () => stallAttempts(subject, paths),
      LONG_MS,
    );

    test(
      'is not changed by attempts that cannot ask Temporal whether it is still their own',
      () => cutOffAttempts(subject, paths),
      LONG_MS,
    );

    test('issued ten times at once under one idempotency key is one, with one credential', async () => {
      const request = { idempotencyKey: randomUUID(), recipient: await generateRecipient() };
      const leases = await Promise.all(Array.from({ length: 10 }, () => trials.issue(request)));
      expect(new Set(leases.map(({ leaseId }) => leaseId)).size).toBe(1);
      const [lease] = leases;
      for (const { credential } of leases) expect(credential).toEqual(lease!.credential);
      expect(bench.calls(lease!.leaseId).filter(({ effect }) => effect === 'credential')).toHaveLength(1);
      await trials.expectLive(lease!);
      await trials.endLease(lease!);
    }, 60_000);

    test('is removed with the facts that its provision told', async () => {
      const lease = await trials.issue();
      await trials.endLease(lease);
      const { events } = await bench.lab.handle(lease.leaseId).fetchHistory();
      const given = (events ?? [])
        .map(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled)
        .filter((scheduled) => scheduled?.activityType?.name === 'deprovision')
        .map(
          (scheduled) => defaultPayloadConverter.fromPayload<DeprovisionInput>(scheduled!.input!.payloads![0]!).facts,
        );
      expect(given).toEqual([lease.facts]);
    }, 60_000);

    test(
      `is delivered and ends beside ${CROWD - 1} others`,
      async () => {
        const leases = await Promise.all(Array.from({ length: CROWD }, () => trials.issue()));
        expect(new Set(leases.map(({ leaseId }) => leaseId)).size).toBe(CROWD);
        await Promise.all(leases.map((lease) => trials.expectLive(lease)));
        await Promise.all(leases.map((lease) => trials.endLease(lease)));
      },
      LONG_MS,
    );

    describe('at a provider that fails,', () => {
      beforeAll(() => {
        for (const start of starters) start();
      });

      describe('of which one call of the provision fails', () => {
        // What "not found" means depends on the call: see below.
        const kinds = KINDS.filter((kind) => kind !== 'not found');
        const failures = together(
          kinds,
          () => paths.provision,
          nameOf,
          (kind, { operation, nth }) => trials.provision([{ operation, nth, kind }], FATAL.includes(kind)),
          { isDangerous: isAnswerLost },
        );

        test.each(kinds)(
          'has one working credential or nothing at the provider, whichever call it is: %s',
          async (kind) => {
            expect(await failures(kind)).toEqual([]);
          },
          LONG_MS,
        );
      });

      describe('whose credential was made in vain, and of which then another call fails', () => {
        // Each costs as many leases as the attempt makes calls: done without a word, not done, and done much too late.
        const kinds = ['answer lost', 'failed before', 'hung after'] as const satisfies readonly Kind[];
        const failures = together(
          kinds,
          () => paths.secondAttempt,
          nameOf,
          (kind, { operation, nth }) =>
            trials.provision(
              [
                {
                  operation: paths.provision.find(({ effect }) => effect === 'credential')!.operation,
                  kind: 'answer lost',
                },
                { operation, nth, kind },
              ],
              false,
            ),
        );

        test.each(kinds)(
          'is delivered with one credential, whichever call it is: %s',
          async (kind) => {
            expect(await failures(kind)).toEqual([]);
          },
          LONG_MS,
        );
      });

      describe('of which one call of an extension fails', () => {
        const ways = ['lengthen', 'shorten'] as const;
        const failures = together(
          KINDS,
          () => ways.flatMap((way) => paths.extension.map((step) => ({ way, step }))),
          ({ way, step }) => `${way}: ${nameOf(step)}`,
          (kind, { way, step: { operation, nth } }) => trials[way]({ operation, nth, kind }),
        );

        test.each(KINDS)(
          'keeps its end or gets the new one, whichever call it is: %s',
          async (kind) => {
            expect(await failures(kind)).toEqual([]);
          },
          LONG_MS,
        );
      });

      describe('of which one call of the removal fails', () => {
        const failures = together(
          KINDS,
          () => paths.removal,
          nameOf,
          (kind, { operation, nth }) => trials.remove({ operation, nth, kind }),
          { isDangerous: isAnswerLost },
        );

        test.each(KINDS)(
          'ends with nothing left, whichever call it is: %s',
          async (kind) => {
            expect(await failures(kind)).toEqual([]);
          },
          LONG_MS,
        );
      });

      describe('of which one call of the removal fails again and again', () => {
        const kinds = ['failed before', 'refused'] as const satisfies readonly Kind[];
        const failures = together(
          kinds,
          () => paths.removal.filter(({ nth }) => nth === 1),
          nameOf,
          // A provider may be removed from without a call that only it refuses: no lease needs to get stuck by that.
          (kind, { operation }) => trials.outlast({ operation, kind }, kind === 'failed before'),
        );

        test.each(kinds)(
          'is stuck until the provider recovers, and then ends: %s',
          async (kind) => {
            expect(await failures(kind)).toEqual([]);
          },
          LONG_MS,
        );
      });

      describe('of a provider that does not show at once what it made', () => {
        const names = ['to the calls that follow', 'to the attempt that follows a lost answer'] as const;
        const afterFirstChange = () =>
          paths.provision.slice(paths.provision.findIndex(({ effect }) => effect !== 'none') + 1);
        const failures = together(
          names,
          (name) =>
            name === names[0] ? afterFirstChange() : paths.provision.filter(({ effect }) => effect !== 'none'),
          nameOf,
          (name, { operation, nth }) =>
            trials.provision(
              name === names[0]
                ? [{ operation, nth, kind: 'not found', times: 2 }]
                : [
                    { operation, nth, kind: 'answer lost' },
                    { operation: paths.provision[0]!.operation, nth: 2, kind: 'not found', times: 2 },
                  ],
              false,
            ),
        );

        test.each(names)(
          'is delivered with one credential, although it is not shown %s',
          async (name) => {
            expect(await failures(name)).toEqual([]);
          },
          LONG_MS,
        );
      });

      describe('of which something appears that was asked for long before', () => {
        const names = [
          'once it was seen that nothing is there',
          'once it was seen what is there',
          'once everything is removed',
        ] as const;
        const failures = together(
          names,
          (name) => [name],
          (name) => name,
          (name) => {
            const { provision, secondAttempt, removal } = paths;
            const makes = ({ effect }: Step): boolean => effect === 'credential';
            switch (name) {
              case 'once it was seen that nothing is there':
                return trials.provisionLate(provision[provision.findIndex(({ effect }) => effect !== 'none') - 1]!);
              case 'once it was seen what is there':
                return trials.provisionLate(secondAttempt[secondAttempt.findIndex(makes) - 1]!, [
                  { operation: provision.find(makes)!.operation, kind: 'answer lost' },
                ]);
              case 'once everything is removed':
                return trials.removeLate(removal.findLast(({ effect }) => effect !== 'none')!);
            }
          },
        );

        test.each(names)(
          'has one credential, and nothing at its end: %s',
          async (name) => {
            expect(await failures(name)).toEqual([]);
          },
          LONG_MS,
        );
      });

      describe('where something of others looks like its own', () => {
        const names = ['before it is issued', 'in place of its own, before it ends'] as const;
        const failures = together(
          names,
          (name) => [name],
          (name) => name,
          (name) => (name === names[0] ? trials.provisionBeside() : trials.removeBeside()),
        );

        test.each(names)(
          'leaves that alone: %s',
          async (name) => {
            expect(await failures(name)).toEqual([]);
          },
          LONG_MS,
        );
      });

      describe('of which something is removed by hand', () => {
        const names = ['its entity', 'its credential', 'its entity, before it is extended'] as const;
        const failures = together(
          names,
          (name) => [name],
          (name) => name,
          async (name) => {
            const lease = await trials.issue({ ttl: '6s' });
            await (name === 'its credential'
              ? bench.removeCredential(lease.leaseId)
              : bench.removeEntity(lease.leaseId));
            expect(await bench.works(lease.credential)).toBe(false);
            // Who never asks the provider to extend does not learn that there is nothing left.
            const extended = name === names[2] && paths.extension.length > 0 ? await settle(lease.extend('20m')) : null;
            expect(extended?.ok).not.toBe(true);
            await trials.expectEnd(lease.leaseId, 'expired', lease);
          },
        );

        test.each(names)(
          'ends at its expiry as any other: %s',
          async (name) => {
            expect(await failures(name)).toEqual([]);
          },
          LONG_MS,
        );
      });
    });

    describe('that lives while', () => {
      const names = Object.keys(CHANGES) as (keyof typeof CHANGES)[];
      const failures = together(
        names,
        (name) => [name],
        (name) => name,
        async (name) => {
          scene ??= await openScene(subject, echo);
          await CHANGES[name](scene);
        },
        // One after the other: each is everybody's on its bench.
        { slots: createPool(1) },
      );

      test.each(names)(
        'ends as it should and leaves nothing: %s',
        async (name) => {
          expect(await failures(name)).toEqual([]);
        },
        LONG_MS,
      );
    });

    test('for hostile holders, keys and reasons is like any other, and the provider is told of none of them', async () => {
      const failures = await failuresOf(
        pool,
        HOSTILE,
        (text) => JSON.stringify(text.slice(0, 40)),
        async (text) => {
          const mark = randomUUID();
          const idempotencyKey = `${mark} ${text}`.slice(0, 200);
          const lease = await trials.issue({ holder: `${mark} ${text}`, idempotencyKey });
          await trials.expectLive(lease);
          await lease.revoke({ reason: `${mark} ${text}\n\0\u202e\u001b[31m`, by: `${mark} ${text}` });
          await trials.expectEnd(lease.leaseId, 'revoked', lease);
          const calls = bench.calls(lease.leaseId);
          expect(calls).not.toEqual([]);
          expect(calls.filter(({ sent }) => sent.includes(mark))).toEqual([]);
        },
      );
      expect(failures).toEqual([]);
    }, 60_000);

    // The last: it looks at all that the tests before it left behind.
    test('leaves no secret in histories and logs, though every error of the provider repeats one', async () => {
      const change = paths.provision.find(({ effect }) => effect !== 'none')!;
      await trials.provision([{ operation: change.operation, kind: 'refused' }], true);
      const benches = [bench, ...(scene === undefined ? [] : [scene.bench])];
      const logs = benches.map(({ lab }) => lab.logs()).join('\n');
      const places = new Map([['the logs', logs]]);
      const read: Promise<void>[] = [];
      for (const { workflow } of benches.map(({ lab }) => lab.client)) {
        for await (const { workflowId, runId } of workflow.list()) {
          read.push(
            pool(async () => {
              const history = await workflow.getHandle(workflowId, runId).fetchHistory();
              places.set(`the history of ${workflowId}`, historyText(history));
            }),
          );
        }
      }
      await Promise.all(read);
      expect(places.size).toBeGreaterThan(1);
      expect(logs).toContain(change.operation);
      const delivered = [...trials.secrets, ...(scene?.trials.secrets ?? [])];
      const secrets = [echo, ...benches.flatMap((each) => each.secrets), ...delivered].flatMap(spellings);
      const leaks = [...places].filter(([, text]) => secrets.some((secret) => text.includes(secret)));
      expect(leaks.map(([place]) => place)).toEqual([]);
    }, 60_000);
  });
}

interface TogetherOptions<Name, Case> {
  /** Pairs that a short run does not leave out. */
  readonly isDangerous?: (name: Name, each: Case) => boolean;
  /** Default: that of all cases. */
  readonly slots?: Pool;
}

/** What was done and not heard of is what most errors come from. */
function isAnswerLost(kind: Kind, { effect }: Step): boolean {
  return kind === 'answer lost' && effect !== 'none';
}

/** Tries a case again whose fault came to nothing, but not for ever. */
async function untilHit(run: () => Promise<void>): Promise<void> {
  for (let left = 3; ; left -= 1) {
    try {
      await run();
      return;
    } catch (error) {
      if (!(error instanceof FaultMissed) || left === 0) throw error;
    }
  }
}
