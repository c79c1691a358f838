import { collectMissing, reasonsOf } from '../../../bench/missing';

function begin() {
  const said: string[] = [];
  const asked = new AbortController();
  return { said, asked, missing: collectMissing({ say: (line) => said.push(line), signal: asked.signal }) };
}

test('a part that fails is told with its reason, and what was measured before stands', async () => {
  const { said, missing } = begin();
  expect(await missing.attempt('The first part was not measured', () => Promise.resolve(7))).toBe(7);
  const failing = (): Promise<number> => Promise.reject(new Error('no luck'));
  expect(await missing.attempt('The second part was not measured', failing)).toBeNull();
  expect(missing.sentences).toEqual(['The second part was not measured: no luck']);
  expect(said).toEqual(missing.sentences);
});

test('once somebody has asked to end, no further part begins', async () => {
  const { asked, missing } = begin();
  let isBegun = false;
  asked.abort();
  const part = (): Promise<void> => {
    isBegun = true;
    return Promise.resolve();
  };
  expect(await missing.attempt('The rest was not measured', part)).toBeNull();
  expect(isBegun).toBe(false);
  expect(missing.sentences).toEqual(['The rest was not measured: the bench was asked to end.']);
});

test('reasons are told once each, and not without end', () => {
  expect(reasonsOf(['late', 'late', 'refused'])).toBe('late / refused');
  expect(reasonsOf(['1', '2', '3', '4', '5', '6', '7'])).toBe('1 / 2 / 3 / 4 / 5 / and 2 more');
});
