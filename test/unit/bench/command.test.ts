import type { Bench } from '../../../bench/bench';
import { readCommand } from '../../../bench/command';

const KNOWN: readonly Bench[] = ['issue', 'expire', 'cli'].map((name) => ({
  name,
  about: `about ${name}`,
  run: () => Promise.reject(new Error('not run')),
}));

function read(...args: readonly string[]): unknown {
  const command = readCommand(args, KNOWN);
  return typeof command === 'string' ? command : { ...command, benches: command.benches.map(({ name }) => name) };
}

test('benches are named, and run in full unless said otherwise', () => {
  expect(read('issue')).toEqual({ benches: ['issue'], size: 'full', out: 'bench-results' });
  expect(read('cli', '--size', 'quick', '--out', '/tmp/x', 'issue', 'cli')).toEqual({
    benches: ['issue', 'cli'],
    size: 'quick',
    out: '/tmp/x',
  });
});

test('all means all of them', () => {
  expect(read('all')).toMatchObject({ benches: ['issue', 'expire', 'cli'] });
});

test.each([
  [['issue', 'nothing'], 'There is no bench "nothing".'],
  [['issue', '--size', 'huge'], '--size must be quick or full, not "huge".'],
  [['issue', '--fast'], "Unknown option '--fast'"],
])('%s is refused, with what there is', (args, sentence) => {
  const refusal = read(...args);
  expect(refusal).toContain(sentence);
  expect(refusal).toContain('  expire  about expire');
});

test('without a name it says what there is', () => {
  expect(read()).toMatch(/^Usage: npm run bench/);
});
