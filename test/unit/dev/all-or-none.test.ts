import { allOrNone } from '../../../dev/all-or-none';

let stopped: string[];

beforeEach(() => {
  stopped = [];
});

const part = (name: string, trouble?: Error) => ({
  name,
  stop: async () => {
    stopped.push(name);
    if (trouble !== undefined) throw trouble;
  },
});

test('parts that all start are had by their names and end last first', async () => {
  const together = await allOrNone({
    one: Promise.resolve(part('one')),
    other: Promise.resolve(part('other')),
  });
  const { parts } = together;
  expect([parts.one.name, parts.other.name]).toEqual(['one', 'other']);
  await together.stop();
  expect(stopped).toEqual(['other', 'one']);
});

test('one that does not start ends the others, also one that comes up only later, and it is told why', async () => {
  const late = new Promise<ReturnType<typeof part>>((resolve) => setTimeout(resolve, 20, part('late')));
  const broken = Promise.reject<ReturnType<typeof part>>(new Error('no port'));
  const early = Promise.resolve(part('early', new Error('hard to end')));
  await expect(allOrNone({ early, broken, late })).rejects.toThrow('no port');
  expect(stopped).toEqual(['late', 'early']);
});

test('one that does not end well keeps none of the others from ending, and it is told', async () => {
  const together = await allOrNone({
    one: Promise.resolve(part('one')),
    other: Promise.resolve(part('other', new Error('its database is away'))),
  });
  await expect(together.stop()).rejects.toThrow('its database is away');
  expect(stopped).toEqual(['other', 'one']);
});
