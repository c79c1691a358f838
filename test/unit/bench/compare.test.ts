import type { Block } from '../../../bench/issue/block';
import { planTurns } from '../../../bench/issue/block';
import { compareTables, overheadRatio, overRounds, pool, rateRatio } from '../../../bench/issue/compare';
import { NAMES } from '../../../bench/issue/system';
import type { System } from '../../../bench/issue/system';
import { FLOOR, LADDER } from '../../../bench/floor/shape';
import { toMarkdown } from '../../../bench/table';

function block(system: string, round: number, ms: number, callers = 1): Block {
  const timed = { durations: [ms, ms, ms], wholeMs: 3 * ms };
  return { system, callers, round, issue: timed, end: timed, cpuMs: { temporal: null, worker: null } };
}

const SYSTEMS = [...Object.values(NAMES), ...LADDER.map(({ name }) => name)];

function round(number: number, ms: Readonly<Record<string, number>>, callers = 1): readonly Block[] {
  return SYSTEMS.map((system) => block(system, number, ms[system] ?? 40, callers));
}

const blocks = [
  ...round(0, { [NAMES.library]: 46, [NAMES.raw]: 6, [FLOOR.name]: 40, [NAMES.openbao]: 8 }),
  ...round(1, { [NAMES.library]: 66, [NAMES.raw]: 6, [FLOOR.name]: 40, [NAMES.openbao]: 8 }),
];

test('the overhead is what a lease takes beyond the provider, as a multiple of the floor, with its bounds over the rounds', () => {
  const { median, lowest, highest } = overRounds(blocks, (some) => overheadRatio(some, 1, NAMES.library, 'issue'));
  expect(median).toBeCloseTo(1.25);
  expect(lowest).toBeCloseTo(1);
  expect(highest).toBeCloseTo(1.5);
});

test('at many callers it is still what the provider takes of one alone that is taken off, and not what its queue takes', () => {
  const crowded = round(0, { [NAMES.library]: 406, [NAMES.raw]: 300, [FLOOR.name]: 200 }, 50);
  expect(overheadRatio([...blocks.slice(0, SYSTEMS.length), ...crowded], 50, NAMES.library, 'issue')).toBeCloseTo(2);
  expect(overheadRatio([...blocks.slice(0, SYSTEMS.length), ...crowded], 50, NAMES.library, 'end')).toBeCloseTo(2);
});

test('a rate is that of all calls over all the time that they took', () => {
  expect(pool(blocks, NAMES.library, 1).issuesPerSecond).toBeCloseTo(6_000 / (3 * 46 + 3 * 66));
  expect(rateRatio(blocks, 1, [NAMES.openbao, FLOOR.name], 'issuesPerSecond')).toBeCloseTo(5);
});

test('a system that was not measured is an error, not an empty row', () => {
  expect(() => pool(blocks, NAMES.library, 50)).toThrow('Nothing was measured');
});

test('all tables can be written', () => {
  const written = compareTables(blocks, [1]).map(toMarkdown).join('\n');
  for (const name of SYSTEMS) expect(written).toContain(name);
  expect(written).not.toContain('NaN');
});

test('in every round each system has a turn at each number of callers, and the order turns round', () => {
  const systems = ['a', 'b'].map((name): System => ({
    name,
    rolePrefix: null,
    worker: null,
    issue: () => Promise.reject(new Error('It is only planned.')),
  }));
  const turns = planTurns(systems, 2, [
    { callers: 1, count: 1 },
    { callers: 9, count: 2 },
  ]);
  expect(turns.map(({ system, callers }) => `${system.name}${callers}`)).toEqual([
    ...['a1', 'b1', 'a9', 'b9'],
    ...['b1', 'a1', 'b9', 'a9'],
  ]);
});
