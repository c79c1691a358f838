import type { WorkerVersion } from '../config/environment';
import type { TemporalService } from './service';
import { shellWord } from './shell-word';
import { instantOf } from './timestamp';

// Temporal's Worker Versioning, of which the workflow queue alone makes use.

/** Workers that Temporal treats alike when it gives out tasks: those of a version, or, as null, the unversioned ones. */
export type Kind = WorkerVersion | null;

/** To whom the tasks of a queue go. */
export interface Routing {
  /** Every kind that gets some of them. */
  readonly to: readonly Kind[];
  /** Every kind of which workers asked for some lately. */
  readonly asking: readonly Kind[];
}

type Answer = Awaited<ReturnType<TemporalService['workflowService']['describeTaskQueue']>>;

/** By number, since the SDK does not export the enumerations. */
const VERSIONED = 2;
const NEVER_USED: readonly number[] = [0, 1, 6];

/**
 * Reads what Temporal says of a queue.
 * @param since what counts as lately, in milliseconds.
 */
export function readRouting({ pollers, versioningInfo }: Answer, since: number): Routing {
  const share = versioningInfo?.rampingVersionPercentage ?? 0;
  const to: Kind[] = [];
  if (share < 100) to.push(kindOf(versioningInfo?.currentDeploymentVersion));
  if (share > 0) to.push(kindOf(versioningInfo?.rampingDeploymentVersion));
  const asking: Kind[] = [];
  for (const { lastAccessTime, deploymentOptions } of pollers) {
    if (instantOf(lastAccessTime) < since) continue;
    const kind = Number(deploymentOptions?.workerVersioningMode) === VERSIONED ? kindOf(deploymentOptions) : null;
    if (!includes(asking, kind)) asking.push(kind);
  }
  return { to, asking };
}

/** Kinds that get tasks and do not ask for them: of those tasks nobody takes any. */
export function absent({ to, asking }: Routing): readonly Kind[] {
  return to.filter((kind) => !includes(asking, kind));
}

/** Kinds that ask for tasks and get none. */
export function idle({ to, asking }: Routing): readonly Kind[] {
  return asking.filter((kind) => !includes(to, kind));
}

export function includes(kinds: readonly Kind[], kind: Kind): boolean {
  return kinds.some((one) => one?.deployment === kind?.deployment && one?.build === kind?.build);
}

/** Whether a version never got any task, as one that was not made current yet. */
export async function isUnused(
  { workflowService }: TemporalService,
  namespace: string,
  { deployment, build }: WorkerVersion,
): Promise<boolean> {
  const deploymentVersion = { deploymentName: deployment, buildId: build };
  const { workerDeploymentVersionInfo } = await workflowService.describeWorkerDeploymentVersion({
    namespace,
    deploymentVersion,
  });
  return NEVER_USED.includes(workerDeploymentVersionInfo?.status ?? 0);
}

/** For a sentence: `version 7 of shop`. */
export function nameOf(kind: Kind): string {
  return kind === null ? 'the unversioned workers' : `version ${kind.build} of ${kind.deployment}`;
}

/**
 * The command that has a kind get the tasks of workflows.
 * @param instead a kind that gets them now.
 */
export function commandFor(kind: Kind, instead: Kind, namespace: string): string {
  const deployment = shellWord((kind ?? instead)?.deployment ?? '');
  const what = kind === null ? '--unversioned' : `--build-id ${shellWord(kind.build)}`;
  return `temporal worker deployment set-current-version --namespace ${shellWord(namespace)} --deployment-name ${deployment} ${what}`;
}

function kindOf(
  version: { readonly deploymentName?: string | null; readonly buildId?: string | null } | null | undefined,
): Kind {
  const { deploymentName, buildId } = version ?? {};
  return deploymentName && buildId ? { deployment: deploymentName, build: buildId } : null;
}
