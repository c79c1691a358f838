import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createFlights } from '../../../../api/doppler/flights';
import type { Flights, FlightOptions } from '../../../../api/doppler/flights';

/** As much of a response as flights look at. */
class FakeResponse extends EventEmitter {
  readonly socket = new EventEmitter();
  statusCode = 200;
  destroyed = false;
  closed = false;

  /** The connection is lost before anything was answered. */
  lose(): void {
    this.destroyed = true;
    this.closed = true;
    this.emit('close');
  }

  /** The answer is the operating system's. */
  finish(statusCode = 200): void {
    this.statusCode = statusCode;
    this.emit('finish');
    this.closed = true;
    this.emit('close');
  }
}

interface Airport {
  readonly flights: Flights<string>;
  readonly begun: { land: (cargo: string) => void; fail: (error: Error) => void; signal: AbortSignal }[];
  readonly givenBack: string[];
  readonly handedOver: string[];
  readonly board: (response: FakeResponse, key?: string | null) => Promise<string>;
}

let recordFails = false;

function open(options: Partial<FlightOptions<string>> = {}): Airport {
  const begun: Airport['begun'] = [];
  const givenBack: string[] = [];
  const handedOver: string[] = [];
  const flights = createFlights<string>({
    giveBack: async (cargo) => void givenBack.push(cargo),
    adoptableMs: [5_000],
    ...options,
  });
  return {
    flights,
    begun,
    givenBack,
    handedOver,
    board: (response, key = 'same') => {
      const boarding = flights.board({
        key,
        response: response as unknown as ServerResponse,
        depart: (signal) =>
          new Promise((land, fail) => {
            begun.push({ land, fail, signal });
            signal.addEventListener('abort', () => {
              fail(new Error('aborted'));
            });
          }),
        handOver: async (cargo) => {
          if (recordFails) throw new Error('the audit log is full');
          handedOver.push(cargo);
        },
      });
      boarding.catch(() => undefined);
      return boarding;
    },
  };
}

beforeEach(() => {
  jest.useFakeTimers();
  recordFails = false;
});

afterEach(() => {
  jest.useRealTimers();
});

const settle = (): Promise<void> => jest.advanceTimersByTimeAsync(0);

test('a repetition adopts what its predecessor, whose connection was lost, began', async () => {
  const { board, begun, givenBack } = open();
  const first = new FakeResponse();
  void board(first);
  first.lose();
  await jest.advanceTimersByTimeAsync(4_900);
  const second = new FakeResponse();
  const answer = board(second);
  expect(begun).toHaveLength(1);
  begun[0]!.land('lease');
  expect(await answer).toBe('lease');
  second.finish();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(givenBack).toEqual([]);
});

test('what landed while nobody waited is adopted too, and is handed over only then', async () => {
  const { board, begun, handedOver } = open();
  const first = new FakeResponse();
  void board(first);
  first.lose();
  begun[0]!.land('lease');
  await settle();
  expect(handedOver).toEqual([]);
  expect(await board(new FakeResponse())).toBe('lease');
  expect(handedOver).toEqual(['lease']);
  expect(begun).toHaveLength(1);
});

test('without a repetition what was begun is stopped, and what landed is given back', async () => {
  const { board, begun, givenBack } = open();
  const [first, second] = [new FakeResponse(), new FakeResponse()];
  void board(first, 'one');
  void board(second, 'two');
  begun[1]!.land('lease');
  await settle();
  first.lose();
  second.lose();
  await jest.advanceTimersByTimeAsync(4_900);
  expect(begun[0]!.signal.aborted).toBe(false);
  expect(givenBack).toEqual([]);
  await jest.advanceTimersByTimeAsync(200);
  expect(begun[0]!.signal.aborted).toBe(true);
  expect(givenBack).toEqual(['lease']);
});

test('a request whose equal is still connected gets its own', async () => {
  const { board, begun } = open();
  void board(new FakeResponse());
  void board(new FakeResponse());
  expect(begun).toHaveLength(2);
});

test('two lost connections are adopted by two repetitions, one each', async () => {
  const { board, begun } = open();
  const lost = [new FakeResponse(), new FakeResponse()];
  for (const response of lost) void board(response);
  for (const response of lost) response.lose();
  const answers = [board(new FakeResponse()), board(new FakeResponse()), board(new FakeResponse())];
  expect(begun).toHaveLength(3);
  begun.forEach(({ land }, index) => {
    land(`lease ${index}`);
  });
  expect(await Promise.all(answers)).toEqual(['lease 0', 'lease 1', 'lease 2']);
});

test('a request that is never a repetition leaves nothing behind when its connection is lost', async () => {
  const { board, begun } = open();
  const response = new FakeResponse();
  void board(response, null);
  response.lose();
  expect(begun[0]!.signal.aborted).toBe(true);
});

test('after an answer that was sent, the next equal request gets its own', async () => {
  const { board, begun } = open();
  const first = new FakeResponse();
  const answer = board(first);
  begun[0]!.land('lease');
  await answer;
  first.finish();
  first.socket.emit('close', false);
  void board(new FakeResponse());
  expect(begun).toHaveLength(2);
});

test('what may have been read before a reset is adopted by a repetition, and never given back', async () => {
  const { board, begun, givenBack } = open();
  const first = new FakeResponse();
  const answer = board(first);
  begun[0]!.land('lease');
  await answer;
  first.finish();
  first.socket.emit('close', true);
  expect(await board(new FakeResponse())).toBe('lease');
  expect(begun).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(givenBack).toEqual([]);
});

test('what lands in the moment in which the command line gives up is held back, and goes to the repetition', async () => {
  const { board, begun, givenBack, handedOver } = open();
  const first = new FakeResponse();
  const answer = board(first);
  await jest.advanceTimersByTimeAsync(9_500);
  begun[0]!.land('lease');
  await jest.advanceTimersByTimeAsync(600);
  expect(handedOver).toEqual([]);
  first.lose();
  await expect(answer).rejects.toThrow('gone');
  const second = new FakeResponse();
  expect(await board(second)).toBe('lease');
  second.finish();
  await jest.advanceTimersByTimeAsync(60_000);
  expect([begun.length, givenBack]).toEqual([1, []]);
});

test('a caller that is more patient gets its answer when the command line would have given up', async () => {
  const { board, begun, handedOver } = open();
  const answer = board(new FakeResponse());
  await jest.advanceTimersByTimeAsync(9_500);
  begun[0]!.land('lease');
  await jest.advanceTimersByTimeAsync(1_400);
  expect(handedOver).toEqual([]);
  await jest.advanceTimersByTimeAsync(200);
  expect(await answer).toBe('lease');
});

test('what was answered late and read is not given to the next program that asks', async () => {
  const { board, begun, givenBack } = open();
  const first = new FakeResponse();
  const answer = board(first);
  await jest.advanceTimersByTimeAsync(12_000);
  begun[0]!.land('lease');
  await answer;
  first.finish();
  first.socket.emit('close', false);
  void board(new FakeResponse());
  expect([begun.length, givenBack]).toEqual([2, []]);
});

test('what cannot be put on record is given back before that is told', async () => {
  const { board, begun, givenBack } = open();
  recordFails = true;
  const answer = board(new FakeResponse());
  begun[0]!.land('lease');
  await expect(answer).rejects.toThrow('the audit log is full');
  expect(givenBack).toEqual(['lease']);
});

test('what landed and was then answered by an error is given back', async () => {
  const { board, begun, givenBack } = open();
  const response = new FakeResponse();
  const answer = board(response);
  begun[0]!.land('lease');
  await answer;
  response.finish(502);
  await settle();
  expect(givenBack).toEqual(['lease']);
});

test('what failed is not adopted: the repetition asks anew', async () => {
  const { board, begun } = open();
  const first = new FakeResponse();
  void board(first);
  first.lose();
  begun[0]!.fail(new Error('refused'));
  await settle();
  void board(new FakeResponse());
  expect(begun).toHaveLength(2);
});

test('the last attempt of Doppler’s command line is answered before it gives up', async () => {
  const { board, begun } = open({ lastAttemptMs: 9_000 });
  for (let attempt = 1; attempt < 5; attempt += 1) {
    const response = new FakeResponse();
    void board(response);
    await jest.advanceTimersByTimeAsync(10_000);
    response.lose();
    await jest.advanceTimersByTimeAsync(1_000);
  }
  const last = board(new FakeResponse());
  const outcome = expect(last).rejects.toMatchObject({ code: 'IssueTimeout' });
  await jest.advanceTimersByTimeAsync(9_000);
  await outcome;
  expect(begun).toHaveLength(1);
  expect(begun[0]!.signal.aborted).toBe(true);
});

test('closing ends what nobody waits for, at once and from then on, and lets nobody board', async () => {
  const { flights, board, begun, givenBack } = open();
  const [deserted, waiting, answered] = [new FakeResponse(), new FakeResponse(), new FakeResponse()];
  void board(deserted, 'one');
  void board(waiting, 'two');
  const answer = board(answered, 'three');
  deserted.lose();
  await flights.close();
  expect(begun.map(({ signal }) => signal.aborted)).toEqual([true, false, false]);
  waiting.lose();
  expect(begun[1]!.signal.aborted).toBe(true);
  begun[2]!.land('lease');
  expect(await answer).toBe('lease');
  await expect(board(new FakeResponse(), 'four')).rejects.toMatchObject({ code: 'shutting_down' });
  answered.finish();
  expect(givenBack).toEqual([]);
});
