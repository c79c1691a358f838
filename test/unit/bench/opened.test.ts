import { withOpened } from '../../../bench/opened';

function closer(closed: string[], problem?: string) {
  return (name: string): Promise<void> => {
    closed.push(name);
    return problem === undefined ? Promise.resolve() : Promise.reject(new Error(problem));
  };
}

test('what was opened is closed when all is done, the last first', async () => {
  const closed: string[] = [];
  const result = await withOpened(async (open) => {
    await open(Promise.resolve('first'), closer(closed));
    await open(Promise.resolve('second'), closer(closed));
    expect(closed).toEqual([]);
    return 7;
  });
  expect([result, closed]).toEqual([7, ['second', 'first']]);
});

test('after a failure too, and what failed is told before what could not be closed', async () => {
  const closed: string[] = [];
  const failing = withOpened(async (open) => {
    await open(Promise.resolve('first'), closer(closed));
    await open(Promise.resolve('second'), closer(closed, 'It does not close.'));
    await open(Promise.reject(new Error('The third does not open.')), closer(closed));
  });
  await expect(failing).rejects.toThrow('The third does not open.');
  expect(closed).toEqual(['second', 'first']);
});

test('what could not be closed is told where nothing else went wrong, and the rest is closed', async () => {
  const closed: string[] = [];
  const failing = withOpened(async (open) => {
    await open(Promise.resolve('first'), closer(closed));
    await open(Promise.resolve('second'), closer(closed, 'It does not close.'));
  });
  await expect(failing).rejects.toThrow('It does not close.');
  expect(closed).toEqual(['second', 'first']);
});

test('whoever wants to keep the result is told what could not be closed instead', async () => {
  const closed: string[] = [];
  const told: unknown[] = [];
  const result = await withOpened(
    async (open) => {
      await open(Promise.resolve('first'), closer(closed, 'It does not close.'));
      await open(Promise.resolve('second'), closer(closed, 'Nor does this.'));
      return 7;
    },
    (problem) => told.push(problem),
  );
  expect(result).toBe(7);
  expect(closed).toEqual(['second', 'first']);
  expect(told).toEqual([new Error('Nor does this.'), new Error('It does not close.')]);
});
