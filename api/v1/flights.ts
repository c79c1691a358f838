import type { TakeBack } from '../take-back';

/** What an issue gave. */
export interface Landed<T> {
  readonly answer: T;
  readonly leaseId: string;
  readonly holder: string;
  /** Whether this issue started the lease; false: it was there before, and is not ours to take back. */
  readonly started: boolean;
}

/** One request's part in an issue. */
export interface Seat<T> {
  readonly landed: Promise<Landed<T>>;
  /**
   * To be called once the answer was sent, or cannot be. When the last request has left and none has its answer, an issue that is
   * under way is aborted, and a lease that it started is taken back; this ends once that is asked for.
   */
  leave(delivered: boolean): Promise<void>;
}

export interface Flights<T> {
  /**
   * Takes a seat in the issue of this key, which begins unless it is under way.
   * @param key null: an issue of its own.
   */
  board(key: string | null, begin: (signal: AbortSignal) => Promise<Landed<T>>): Seat<T>;
}

interface Flight<T> {
  readonly landed: Promise<Landed<T>>;
  readonly abort: AbortController;
  aboard: number;
  isOver: boolean;
  isDelivered: boolean;
}

/**
 * Issues under way in this process, so that of several requests with one idempotency key none that hangs up takes the lease from
 * another.
 */
export function createFlights<T>(takeBack: TakeBack): Flights<T> {
  const flights = new Map<string, Flight<T>>();

  const depart = (begin: (signal: AbortSignal) => Promise<Landed<T>>): Flight<T> => {
    const abort = new AbortController();
    const flight: Flight<T> = { landed: begin(abort.signal), abort, aboard: 0, isOver: false, isDelivered: false };
    const end = (): void => {
      flight.isOver = true;
    };
    flight.landed.then(end, end);
    return flight;
  };

  const leave = async (key: string | null, flight: Flight<T>, delivered: boolean): Promise<void> => {
    flight.aboard -= 1;
    flight.isDelivered ||= delivered;
    if (flight.aboard > 0) return;
    if (key !== null && flights.get(key) === flight) flights.delete(key);
    if (flight.isDelivered) return;
    if (!flight.isOver) flight.abort.abort();
    const landed = await flight.landed.catch(() => null);
    if (landed?.started === true) await takeBack(landed.leaseId, landed.holder);
  };

  return {
    board: (key, begin) => {
      const flight = (key === null ? undefined : flights.get(key)) ?? depart(begin);
      if (key !== null) flights.set(key, flight);
      flight.aboard += 1;
      let left: Promise<void> | null = null;
      return { landed: flight.landed, leave: (delivered) => (left ??= leave(key, flight, delivered)) };
    },
  };
}
