import { readdir } from 'node:fs/promises';
import type { Deployment } from './deployment';
import { usagesOf } from './programs';
import { formatSpan } from './progress';
import type { Usage } from './usage';

/** What all processes had at one instant. */
export interface Sample {
  /** Since the first one. */
  readonly atMs: number;
  readonly usages: Readonly<Record<string, Usage>>;
}

/** This process: a library over Temporal, an HTTP client, and what measures. */
const CLIENT = 'client';

export async function takeSample(deployment: Pick<Deployment, 'usage'>, atMs: number): Promise<Sample> {
  return { atMs, usages: { ...(await usagesOf(deployment)), [CLIENT]: await ownUsage() } };
}

/** For the person who waits. */
export function sampleLine({ atMs, usages }: Sample, leases: number): string {
  const each = Object.entries(usages).map(
    ([name, { residentMb, handles }]) =>
      `${name} ${residentMb === null ? '?' : residentMb.toFixed(0)} MB and ${handles ?? '?'} handles`,
  );
  return `After ${formatSpan(atMs)}: ${leases} leases, ${each.join(', ')}`;
}

async function ownUsage(): Promise<Usage> {
  const { user, system } = process.cpuUsage();
  return {
    residentMb: process.memoryUsage.rss() / (1_024 * 1_024),
    cpuSeconds: (user + system) / 1_000_000,
    handles: await ownHandles(),
  };
}

/** Null where the system does not tell. */
async function ownHandles(): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  return (await readdir('/proc/self/fd')).length;
}
