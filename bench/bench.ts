import type { Say } from '../dev/story';
import type { Tools } from '../dev/tools';
import type { Plot } from './plot';
import type { Table } from './table';

/** `quick` shows that it works; `full` gives figures. */
export type Size = 'quick' | 'full';

/** The programs that are measured, and those that they need. */
export interface BenchTools extends Pick<Tools, 'temporal'> {
  /** OpenBao's own program. */
  readonly bao: string;
}

export interface BenchContext {
  readonly size: Size;
  readonly say: Say;
  /** The bench's own, empty, and removed afterwards. */
  readonly directory: string;
  readonly tools: BenchTools;
  /** Aborted once somebody asks to end. */
  readonly signal: AbortSignal;
}

/** Measures one thing. What it starts it stops, and what it says was done it has seen. */
export interface Bench {
  /** As it is asked for, and the names of its files. */
  readonly name: string;
  readonly about: string;
  run(context: BenchContext): Promise<Findings>;
}

export interface Findings {
  readonly tables: readonly Table[];
  readonly plots: readonly Plot[];
  /** What a reader must know. */
  readonly notes: readonly string[];
  /** What was to be measured and was not, and why: the bench counts as failed. Absent, or none: nothing. */
  readonly missing?: readonly string[];
  /** Raw figures for the JSON. */
  readonly data: unknown;
}
