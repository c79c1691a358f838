import { pickSamples } from '../../../telemetry/samples';
import type { Wanted } from '../../../telemetry/samples';

const FAILED: Wanted = { name: 'failed', help: 'Failures.', type: 'counter', labels: ['queue', 'why'] };
const TOOK: Wanted = { name: 'took', help: 'How long.', type: 'histogram', labels: ['queue'] };

/** The samples of a text, without what is said about them. */
function samples(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('of a text only what is wanted is told, and what its lost labels told apart is added up', () => {
  const text = [
    '# TYPE failed counter',
    'failed{queue="a",why="x",workflow_type="lease"} 2',
    'failed{why="x",workflow_type="someone\'s own",queue="a"} 3',
    'failed{queue="b",why="x"} 1',
    'other{queue="a"} 9',
    'took_bucket{queue="a",identity="1@host",le="1"} 1',
    'took_bucket{queue="a",identity="2@host",le="1"} 2',
    'took_sum{queue="a",identity="1@host"} 0.5',
    'took_count{queue="a",identity="1@host"} 1',
    '',
  ].join('\n');
  const picked = pickSamples(text, [FAILED, TOOK]);
  expect(samples(picked)).toEqual([
    'failed{queue="a",why="x"} 5',
    'failed{queue="b",why="x"} 1',
    'took_bucket{le="1",queue="a"} 3',
    'took_sum{queue="a"} 0.5',
    'took_count{queue="a"} 1',
  ]);
  expect(picked).toContain('# HELP failed Failures.\n# TYPE failed counter\n');
  expect(picked.endsWith('\n')).toBe(true);
});

test('what is to be seen from the start is told with 0 until it is counted', () => {
  const zeros = [
    { name: 'failed', labels: { queue: 'a', why: 'x' } },
    { name: 'failed', labels: { queue: 'a', why: 'y' } },
  ];
  expect(samples(pickSamples('failed{why="x",queue="a"} 4', [FAILED], zeros))).toEqual([
    'failed{queue="a",why="x"} 4',
    'failed{queue="a",why="y"} 0',
  ]);
});

test('a value that nobody bounds is told as another', () => {
  const keep = (label: string, value: string): string => (label === 'queue' ? 'one of many' : value);
  const text = 'failed{queue="1",why="x"} 1\nfailed{queue="2",why="x"} 1';
  expect(samples(pickSamples(text, [FAILED], [], keep))).toEqual(['failed{queue="one of many",why="x"} 2']);
});

test('values with quotes, commas and braces stay one value, and what is no sample is passed over', () => {
  const text = 'failed{why="a\\"b,c}{d=\\"e",queue="q"} 1\nfailed\nfailed{ 3\n<html>';
  expect(samples(pickSamples(text, [FAILED]))).toEqual(['failed{queue="q",why="a\\"b,c}{d=\\"e"} 1']);
  expect(pickSamples('', [FAILED])).toBe('');
});
