import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Say } from '../dev/story';
import type { Bench, BenchTools, Size } from './bench';
import { lookAtCommit, lookAtMachine, notesOn } from './machine';
import { describeReport, writeReport } from './report';

export interface RunOptions {
  readonly benches: readonly Bench[];
  readonly size: Size;
  /** Where the reports go. */
  readonly out: string;
  readonly tools: BenchTools;
  readonly say: Say;
  readonly signal: AbortSignal;
}

/** Runs benches one after the other. One that fails does not keep the next from running; once asked to end, no more begin. Answers how many failed. */
export async function runBenches(options: RunOptions): Promise<number> {
  const { benches, say, signal } = options;
  let failed = 0;
  for (const bench of benches) {
    signal.throwIfAborted();
    try {
      await runBench(bench, options);
    } catch (error) {
      signal.throwIfAborted();
      failed += 1;
      say(`${bench.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  return failed;
}

async function runBench(bench: Bench, { size, out, tools, say, signal }: RunOptions): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-bench-'));
  try {
    say(`${bench.name} (${size}): ${bench.about}`);
    const commit = await lookAtCommit();
    const begunAt = new Date();
    const from = performance.now();
    const found = await bench.run({ size, say, directory, tools, signal });
    const tookMs = performance.now() - from;
    const machine = await lookAtMachine(tools, directory, commit);
    const findings = { ...found, notes: [...found.notes, ...notesOn(machine)] };
    const report = { bench, size, begunAt, tookMs, machine, findings };
    const files = await writeReport(out, report);
    say(`\n${describeReport(report)}\nWritten: ${files.join(', ')}\n`);
    if (findings.missing !== undefined && findings.missing.length > 0) throw new Error(findings.missing.join('\n'));
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  }
}
