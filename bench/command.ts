import { parseArgs } from 'node:util';
import type { Bench, Size } from './bench';

export interface BenchCommand {
  readonly benches: readonly Bench[];
  readonly size: Size;
  readonly out: string;
}

const SIZES: readonly Size[] = ['quick', 'full'];
const OPTIONS = {
  size: { type: 'string', default: 'full' },
  out: { type: 'string', default: 'bench-results' },
} as const;

/** What a command line asks for, or the sentence that says what is wrong with it. Each bench runs once, in the order of `known`. */
export function readCommand(args: readonly string[], known: readonly Bench[]): BenchCommand | string {
  const usage = describeUsage(known);
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return `${(error as Error).message}\n\n${usage}`;
  }
  const { values, positionals: names } = parsed;
  if (names.length === 0) return usage;
  const unknown = names.find((name) => name !== 'all' && known.every((bench) => bench.name !== name));
  if (unknown !== undefined) return `There is no bench ${JSON.stringify(unknown)}.\n\n${usage}`;
  const size = SIZES.find((each) => each === values.size);
  if (size === undefined) {
    return `--size must be ${SIZES.join(' or ')}, not ${JSON.stringify(values.size)}.\n\n${usage}`;
  }
  const benches = known.filter(({ name }) => names.includes(name) || names.includes('all'));
  return { benches, size, out: values.out };
}

function describeUsage(known: readonly Bench[]): string {
  const width = Math.max(...known.map(({ name }) => name.length));
  return [
    'Usage: npm run bench -- <name...|all> [--size quick|full] [--out bench-results]',
    '',
    ...known.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`),
  ].join('\n');
}
