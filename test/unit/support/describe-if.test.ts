import { describeIf } from '../../support/describe-if';

const define = (): void => undefined;
const before = process.env['CI'];

afterEach(() => {
  jest.restoreAllMocks();
  if (before === undefined) delete process.env['CI'];
  else process.env['CI'] = before;
});

test('a suite that has what it needs is run, in CI and elsewhere', () => {
  for (const ci of ['', '1']) {
    process.env['CI'] = ci;
    const run = jest.spyOn(globalThis, 'describe').mockReturnValue();
    describeIf(null, 'a lease', define);
    expect(run).toHaveBeenCalledWith('a lease', define);
  }
});

test('a suite that lacks something is skipped, and its name says why', () => {
  delete process.env['CI'];
  const skip = jest.spyOn(describe, 'skip').mockReturnValue();
  describeIf('There is no PostgreSQL 13.', 'a lease', define);
  expect(skip).toHaveBeenCalledWith('a lease (skipped: There is no PostgreSQL 13.)', define);
});

test('in CI it fails instead', () => {
  process.env['CI'] = '1';
  const skip = jest.spyOn(describe, 'skip').mockReturnValue();
  let run: unknown = null;
  jest.spyOn(globalThis, 'test').mockImplementation((_, act) => {
    run = act;
  });
  jest.spyOn(globalThis, 'describe').mockImplementation((_, body) => {
    body();
  });
  describeIf('There is no PostgreSQL 13.', 'a lease', define);
  expect(skip).not.toHaveBeenCalled();
  expect(run).toThrow('There is no PostgreSQL 13. CI must not skip it.');
});
