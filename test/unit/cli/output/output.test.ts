import { outputTo } from '../../../../cli/output/output';
import { hasColour } from '../../../../cli/output/style';

const NAMES = ['COLUMNS', 'TERM', 'NO_COLOR', 'FORCE_COLOR'] as const;

const before = new Map(NAMES.map((name) => [name, process.env[name]]));

beforeEach(() => {
  for (const name of NAMES) set(name, undefined);
});

afterAll(() => {
  for (const [name, value] of before) set(name, value);
});

function set(name: (typeof NAMES)[number], value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
}

const FACTS = { isTerminal: true, forceColor: undefined, noColor: undefined, term: 'xterm' };

test.each([
  ['on a terminal', {}, true],
  ['in a pipe', { isTerminal: false }, false],
  ['with NO_COLOR', { noColor: '1' }, false],
  ['with an empty NO_COLOR, which counts as none', { noColor: '' }, true],
  ['on a terminal that can show none', { term: 'dumb' }, false],
  ['with FORCE_COLOR in a pipe', { isTerminal: false, forceColor: '1' }, true],
  ['with an empty FORCE_COLOR in a pipe', { isTerminal: false, forceColor: '' }, true],
  ['with FORCE_COLOR and NO_COLOR', { forceColor: '1', noColor: '1' }, true],
  ['with FORCE_COLOR=0', { forceColor: '0' }, false],
])('whether there is colour %s', (_, facts, expected) => {
  expect(hasColour({ ...FACTS, ...facts })).toBe(expected);
});

test('a terminal has the width that it tells, unless COLUMNS says another', () => {
  expect(outputTo({ isTTY: true, columns: 132 }).width).toBe(132);
  expect(outputTo({ isTTY: true, columns: 0 }).width).toBe(80);
  expect(outputTo({ isTTY: true }).width).toBe(80);
  set('COLUMNS', '50');
  expect(outputTo({ isTTY: true, columns: 132 }).width).toBe(50);
  set('COLUMNS', 'wide');
  expect(outputTo({ isTTY: true, columns: 132 }).width).toBe(132);
});

test('a pipe has no width, whatever COLUMNS says', () => {
  set('COLUMNS', '50');
  expect(outputTo({ columns: 132 })).toMatchObject({ width: undefined, isTerminal: false, canRedraw: false });
});

test('on a dumb terminal nothing is written over and nothing is painted', () => {
  set('TERM', 'dumb');
  const { isTerminal, canRedraw, style } = outputTo({ isTTY: true });
  expect([isTerminal, canRedraw, style.red('x')]).toEqual([true, false, 'x']);
});

test('the variables are those of the environment', () => {
  set('FORCE_COLOR', '1');
  expect(outputTo({}).style.red('x')).toBe('\u001b[31mx\u001b[39m');
  set('FORCE_COLOR', undefined);
  set('NO_COLOR', '1');
  expect(outputTo({ isTTY: true }).style.red('x')).toBe('x');
});
