import type { Output } from '../../../../cli/output/output';
import { openProgress } from '../../../../cli/output/progress';
import type { Progress } from '../../../../cli/output/progress';
import { createStyle } from '../../../../cli/output/style';

interface Watched {
  readonly progress: Progress;
  readonly written: string[];
  readonly at: (ms: number) => void;
}

function watch(output: Partial<Output>): Watched {
  const written: string[] = [];
  let now = 0;
  const progress = openProgress('revoked', {
    stream: { write: (text: string) => written.push(text) },
    output: { isTerminal: true, canRedraw: true, width: 60, style: createStyle(false), ...output },
    clock: () => now,
  });
  return { progress, written, at: (ms) => (now = ms) };
}

test('on a terminal one line is written over and over, and cleared at the end', () => {
  const { progress, written, at } = watch({});
  progress.update(0, 4);
  at(50);
  progress.update(1, 4);
  at(200);
  progress.update(2, 4, '1 stuck');
  progress.update(4, 4);
  progress.close();
  expect(written).toEqual([
    `\r[${'.'.repeat(24)}] revoked 0/4\u001b[K`,
    `\r[${'#'.repeat(12)}${'.'.repeat(12)}] revoked 2/4, 1 stuck\u001b[K`,
    `\r[${'#'.repeat(24)}] revoked 4/4\u001b[K`,
    '\r\u001b[K',
  ]);
});

test('it never fills a line of the terminal, which would begin another', () => {
  const { progress, written } = watch({ width: 20 });
  progress.update(1, 2, 'a long remark');
  expect(written[0]).toHaveLength('\r'.length + 19 + '\u001b[K'.length);
});

test('where nothing can be written over, there is a line now and then, none at the very beginning, and nothing is cleared', () => {
  const { progress, written, at } = watch({ isTerminal: false, canRedraw: false, width: undefined });
  progress.update(0, 100);
  at(9_000);
  progress.update(50, 100);
  at(11_000);
  progress.update(60, 100);
  at(30_000);
  progress.update(60, 100);
  progress.update(100, 100);
  progress.close();
  expect(written).toEqual(['revoked 60/100\n', 'revoked 100/100\n']);
});

test('nothing out of nothing is no end', () => {
  const { progress, written } = watch({ isTerminal: false, canRedraw: false, width: undefined });
  progress.update(0, 0);
  progress.update(0, 0, 'looking again');
  expect(written).toEqual([]);
});

test('of nothing at all nothing is drawn', () => {
  const { progress, written } = watch({});
  progress.close();
  expect(written).toEqual([]);
});
