import { createFlights } from '../../../../api/v1/flights';
import type { Landed } from '../../../../api/v1/flights';

const LEASE: Landed<string> = { answer: 'credential', leaseId: 'lease', holder: 'token:ci', started: true };

/** An issue that ends when it is told to, and says whether it was aborted. */
function open(landed: Landed<string> = LEASE) {
  const taken: string[] = [];
  const flights = createFlights<string>(async (leaseId) => void taken.push(leaseId));
  let land = (): void => undefined;
  let begun = 0;
  let isAborted = false;
  const begin = (signal: AbortSignal): Promise<Landed<string>> => {
    begun += 1;
    return new Promise((resolve, reject) => {
      land = () => {
        resolve(landed);
      };
      signal.addEventListener('abort', () => {
        isAborted = true;
        reject(new Error('aborted'));
      });
    });
  };
  return {
    taken,
    board: (key: string | null) => flights.board(key, begin),
    land: () => {
      land();
    },
    begun: () => begun,
    isAborted: () => isAborted,
  };
}

test('requests of one key share an issue, others do not', () => {
  const airport = open();
  for (const key of ['a', 'a', 'b', null, null]) airport.board(key);
  expect(airport.begun()).toBe(4);
});

test('only the last that leaves aborts what is under way', async () => {
  const airport = open();
  const [one, two] = [airport.board('a'), airport.board('a')];
  two.landed.catch(() => undefined);
  await one.leave(false);
  await one.leave(false);
  expect(airport.isAborted()).toBe(false);
  await two.leave(false);
  expect(airport.isAborted()).toBe(true);
  expect(airport.taken).toEqual([]);
});

test('a lease that none of them got is taken back, once', async () => {
  const airport = open();
  const [one, two] = [airport.board('a'), airport.board('a')];
  airport.land();
  await one.landed;
  await one.leave(false);
  expect(airport.taken).toEqual([]);
  await Promise.all([two.leave(false), two.leave(false)]);
  expect(airport.taken).toEqual(['lease']);
});

test.each([0, 1])('a lease that request %i got is left alone, whatever becomes of the other', async (who) => {
  const airport = open();
  const seats = [airport.board('a'), airport.board('a')];
  airport.land();
  await seats[0]!.landed;
  for (const [index, seat] of seats.entries()) await seat.leave(index === who);
  expect(airport.taken).toEqual([]);
});

test('a lease that was there before is not ours to take back', async () => {
  const airport = open({ ...LEASE, started: false });
  const seat = airport.board('a');
  airport.land();
  await seat.landed;
  await seat.leave(false);
  expect(airport.taken).toEqual([]);
});

test('whoever comes after the last has left begins anew', async () => {
  const airport = open();
  const first = airport.board('a');
  first.landed.catch(() => undefined);
  await first.leave(false);
  airport.board('a');
  expect(airport.begun()).toBe(2);
});
