import { eventually } from '../support/lab';
import type { ConfigFile } from '../support/base-lab';
import type { LeaseError } from '../../client/leases';
import type { WorkerProcess } from '../support/worker-process';
import type { Bench, Subject } from './subject';
import { openTrials, settle, within } from './trial';
import type { Trials } from './trial';

/** A bench whose configuration and provider are changed while leases live: whoever does that must be alone on it. */
export interface Scene {
  readonly bench: Bench;
  readonly trials: Trials;
  /** Replaced by who stops it. */
  worker: WorkerProcess;
}

type Mapping = Readonly<Record<string, unknown>>;

const TIMINGS = {
  // What is issued while the provider is away is answered after this.
  issue_timeout: '15s',
  attempt_timeout: '5s',
  heartbeat_timeout: '3s',
  consistency_window: '1s',
  stuck_after: '2s',
};

const ISSUE_ANSWERED_MS = 40_000;

/** A probe comes every ten seconds; the rest is nudged once it succeeds. */
const BACK_WITHIN_MS = 90_000;

export async function openScene(subject: Subject, echo: string): Promise<Scene> {
  const bench = await subject.open({ timings: TIMINGS, slots: 10, echo });
  try {
    return { bench, trials: await openTrials(bench), worker: await bench.lab.startWorker() };
  } catch (error) {
    await bench.close();
    throw error;
  }
}

/** What may happen to configuration and provider while leases live, by what tests call it. Each ends as it began. */
export const CHANGES = {
  'its integration is retired': retire,
  'its parameters and the prefix of names are changed': alter,
  'its dynamic secret is removed': removeDynamicSecret,
  'its integration is removed': removeIntegration,
  'its provider is away for a while': goAway,
} satisfies Readonly<Record<string, (scene: Scene) => Promise<void>>>;

async function retire({ bench, trials }: Scene): Promise<void> {
  const lease = await trials.issue();
  const retired = (file: ConfigFile): ConfigFile => changeEntry(bench, file, (entry) => ({ ...entry, retired: true }));
  await whileInForce(bench, retired, async () => {
    await expect(trials.issue()).rejects.toMatchObject({ code: 'IntegrationRetired' });
    await lease.extend('45m');
    await trials.expectLive(lease);
    await trials.endLease(lease);
  });
}

async function alter({ bench, trials }: Scene): Promise<void> {
  const old = await trials.issue();
  const altered = (file: ConfigFile): ConfigFile => {
    const renamed = changeEntry(bench, file, (entry) => ({
      ...entry,
      connection: { ...(entry['connection'] as Mapping), name_prefix: 'renamed' },
    }));
    const { otherParameters: parameters } = bench;
    return changeSecret(bench, renamed, (own) => ({ ...own, ...(parameters === undefined ? {} : { parameters }) }));
  };
  const young = await whileInForce(bench, altered, async () => {
    const lease = await trials.issue();
    await trials.expectLive(lease);
    expect(await bench.entities(lease.leaseId)).toEqual([expect.stringMatching(/^renamed-/)]);
    await old.extend('45m');
    await trials.expectLive(old);
    await trials.endLease(old);
    return lease;
  });
  await young.extend('45m');
  await trials.expectLive(young);
  await trials.endLease(young);
}

async function removeDynamicSecret({ bench, trials }: Scene): Promise<void> {
  const lease = await trials.issue();
  const without = (file: ConfigFile): ConfigFile => changeSecret(bench, file, () => undefined);
  await whileInForce(bench, without, async () => {
    await expect(lease.extend('45m')).rejects.toMatchObject({ code: 'UnknownDynamicSecret' });
    await trials.expectLive(lease);
    await trials.endLease(lease);
  });
}

/** Workers that run do not let it go. One that is started without it says so, and its leases end once it is back. */
async function removeIntegration(scene: Scene): Promise<void> {
  const { bench, trials } = scene;
  const { lab, integration } = bench;
  const lease = await trials.issue();
  const query = `LeaseIntegration = "${integration}" AND LeaseState = "active"`;
  await eventually(async () => (await lab.client.workflow.count(query)).count > 0, 'the index to know the lease');
  let whole: ConfigFile = {};
  await lab.configure((file) => {
    whole = file;
    return changeEntry(
      bench,
      changeSecret(bench, file, () => undefined),
      () => undefined,
    );
  });
  try {
    await untilTold(bench, `lacks integrations of which leases live: ${integration}`);
    expect(await scene.worker.stop()).toBe(0);
    scene.worker = await lab.startWorker();
    await untilTold(bench, 'they cannot end without it');
    await lease.revoke();
    await lab.until(lease.leaseId, 'stuck');
    const details = async (): Promise<string> =>
      JSON.stringify(await lab.handle(lease.leaseId).query('__temporal_workflow_metadata'));
    await eventually(
      async () => (await details()).includes(`${integration} is not in the configuration any more`),
      'the lease to say why it is stuck',
    );
    expect(await bench.works(lease.credential)).toBe(true);
  } finally {
    await lab.configure(() => whole);
  }
  await within(
    BACK_WITHIN_MS,
    'the lease to end once its integration is back',
    trials.expectEnd(lease.leaseId, 'revoked', lease),
  );
}

async function goAway({ bench, trials }: Scene): Promise<void> {
  const { lab } = bench;
  const [kept, shortened, revoked] = await Promise.all([trials.issue(), trials.issue(), trials.issue()]);
  const expired = await trials.issue({ ttl: '5s' });
  const { idempotencyKey, leaseId: refusedId } = trials.reserve();
  bench.setAway(true);
  try {
    const issuing = within(ISSUE_ANSWERED_MS, 'the issue to be answered', settle(trials.issue({ idempotencyKey })));
    const extending = within(ISSUE_ANSWERED_MS, 'the extension to be answered', settle(kept.extend('45m')));
    const shortening = within(ISSUE_ANSWERED_MS, 'the shortening to be answered', settle(shortened.extend('5s')));
    await revoked.revoke();
    await Promise.all([revoked, expired].map(({ leaseId }) => lab.until(leaseId, 'stuck')));
    for (const refused of [await issuing, await extending]) {
      expect(refused.ok ? null : (refused.error as LeaseError).code).toMatch(/^(Unavailable|IssueTimeout)$/);
    }
    // Both ways the lease ends when it was asked to: an end that comes before the answer is told as such.
    const near = await shortening;
    if (!near.ok) expect(near.error).toMatchObject({ code: 'LeaseNotActive' });
    expect((await lab.leases.get(kept.leaseId)).expiresAt).toEqual(kept.expiresAt);
  } finally {
    bench.setAway(false);
  }
  await within(
    BACK_WITHIN_MS,
    'all leases to end once the provider is back',
    Promise.all([
      trials.expectEnd(refusedId, 'failed'),
      trials.expectEnd(revoked.leaseId, 'revoked', revoked),
      trials.expectEnd(expired.leaseId, 'expired', expired),
      trials.expectEnd(shortened.leaseId, 'expired', shortened),
    ]),
  );
  await trials.expectLive(kept);
  await kept.extend('45m');
  await trials.endLease(kept);
}

const IN_FORCE = 'The changed configuration is in force.';

/** Does something while the worker works by another configuration, and takes that back, whatever came of it. */
async function whileInForce<T>(
  bench: Bench,
  change: (file: ConfigFile) => ConfigFile,
  act: () => Promise<T>,
): Promise<T> {
  let before: ConfigFile = {};
  const put = async (next: (file: ConfigFile) => ConfigFile): Promise<void> => {
    const told = timesTold(bench, IN_FORCE);
    await bench.lab.configure(next);
    await untilTold(bench, IN_FORCE, told + 1);
  };
  await put((file) => {
    before = file;
    return change(file);
  });
  try {
    return await act();
  } finally {
    await put(() => before);
  }
}

function changeEntry(
  { integration }: Bench,
  file: ConfigFile,
  change: (entry: Mapping) => Mapping | undefined,
): ConfigFile {
  const entries = file['integrations'] as Readonly<Record<string, Mapping>>;
  return { ...file, integrations: { ...entries, [integration]: change(entries[integration]!) } };
}

function changeSecret(
  { request }: Bench,
  file: ConfigFile,
  change: (secret: Mapping) => Mapping | undefined,
): ConfigFile {
  const copy = structuredClone(file) as {
    projects: Record<string, { configs: Record<string, { dynamic_secrets: Record<string, Mapping | undefined> }> }>;
  };
  const secrets = copy.projects[request.project]!.configs[request.config]!.dynamic_secrets;
  secrets[request.dynamicSecret] = change(secrets[request.dynamicSecret]!);
  return copy;
}

function timesTold({ lab }: Bench, sentence: string): number {
  return lab.logs().split(sentence).length - 1;
}

function untilTold(bench: Bench, sentence: string, times = 1): Promise<void> {
  return eventually(async () => timesTold(bench, sentence) >= times, `the worker to say: ${sentence}`);
}
