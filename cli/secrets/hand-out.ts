import type { Lease } from '../../client/http';
import { flatten } from '../../flat/flatten';
import { requireReader, systemCode } from '../deliver';
import { EXIT, FailedError, tellError } from '../exit';
import { listenForInterrupt } from '../interrupt';
import { NotPrintedError } from '../output/print';
import { tell } from '../output/tell';
import type { Selection } from '../selection';
import { checkTtlOf, giveBack, leaseTogether } from '../together';
import type { Opened } from './contents';
import { isPrinted, openTarget } from './target';
import type { Target, TargetFlags } from './target';

export interface HandOutRequest {
  readonly selection: Selection;
  /** Seconds; undefined: each dynamic secret's own. */
  readonly ttl: number | undefined;
  readonly target: TargetFlags;
  /** Makes of the values what is handed out. */
  readonly render: (valueOf: (name: string) => string) => string;
}

type Leased = ReadonlyMap<string, Lease>;

/**
 * Leases what a selection names and hands the rendered whole out. If that fails, or is called off, no lease is left. Whether it can
 * be written is seen before anything is leased.
 */
export async function handOut(opened: Opened, request: HandOutRequest): Promise<number> {
  const { selection, ttl } = request;
  checkTtlOf(
    selection.dynamics.map(({ secret }) => secret),
    ttl,
  );
  if (selection.dynamics.length > 0 && isPrinted(request.target)) requireReader();
  const interrupt = listenForInterrupt({ hangUp: true });
  const { signal } = interrupt;
  try {
    await leaseAndWrite(opened, request, signal);
    return EXIT.done;
  } catch (error) {
    const code = tellError(error);
    if (!signal.aborted) return code;
    // A write that nobody reads would keep the process from its end.
    return process.exit(EXIT.interrupted);
  } finally {
    interrupt.close();
  }
}

async function leaseAndWrite(
  { leases, place, statics }: Opened,
  { selection, ttl, target: flags, render }: HandOutRequest,
  signal: AbortSignal,
): Promise<void> {
  const target = await openTarget(flags);
  try {
    const names = selection.dynamics.map(({ secret }) => secret.dynamicSecret);
    const leased = await leaseTogether(leases, { place, names, ttl, signal });
    const values = valuesOf(statics.values, leased);
    await writeOrGiveBack(target, leased, () => render(values), signal);
    tellEnds(target.name, leased);
  } finally {
    await target.close();
  }
}

function valuesOf(statics: Readonly<Record<string, string>>, leased: Leased): (name: string) => string {
  const values = new Map([
    ...Object.entries(statics),
    ...[...leased].flatMap(([name, lease]) => [...flatten(name, lease)]),
  ]);
  return (name) => {
    const value = values.get(name);
    if (value !== undefined) return value;
    throw new FailedError(`What was issued has no ${name}: its dynamic secret has just changed.`);
  };
}

async function writeOrGiveBack(
  target: Target,
  leased: Leased,
  render: () => string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await target.write(render(), signal);
  } catch (error) {
    const areGivenBack = await giveBack(leased.values(), 'the output could not be written');
    if (error instanceof FailedError) throw error;
    const rest = areGivenBack && leased.size > 0 ? ' What was leased for it is being revoked.' : '';
    throw new FailedError(
      `${target.name} could not be written (${error instanceof NotPrintedError ? error.code : systemCode(error)}).${rest}`,
    );
  }
}

/** Nobody renews what was written down. */
function tellEnds(name: string, leased: Leased): void {
  if (leased.size === 0) return;
  const ends = [...leased.values()].map(({ expiresAt }) => expiresAt.getTime());
  const first = new Date(Math.min(...ends)).toISOString();
  const ids = [...leased].map(([dynamicSecret, { leaseId }]) => `${dynamicSecret} ${leaseId}`).join(', ');
  tell(`${name} holds leases that nobody extends, the first of which ends at ${first}: ${ids}.`);
  tell('End them sooner with: leasehold leases revoke <lease-id>');
}
