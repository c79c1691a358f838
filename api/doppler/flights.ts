import type { ServerResponse } from 'node:http';
import { LeaseError } from '../../client/leases';
import { refusal } from '../errors';

// Doppler's CLI waits ten seconds for an answer and then sends the same request again, up to five times, while a new AWS key may
// take longer than that to become usable. A flight is what such a row of requests has in common: its leases are asked for once.

/** A request that waits for leases. */
export interface Passenger<T> {
  /** Equal for requests of which the later may be the repetition of the earlier; null: it is never one. */
  readonly key: string | null;
  readonly response: ServerResponse;
  /** Asks for the leases, all or none. Aborted, it leaves none either. */
  readonly depart: (signal: AbortSignal) => Promise<T>;
  /** All that is done before the answer is sent. If it fails, the leases are given back. */
  readonly handOver: (cargo: T) => Promise<void>;
}

export interface Flights<T> {
  /**
   * Leases for a request: those of its predecessor, if that lost its connection before it was answered and nobody came since, or
   * else new ones. A request whose predecessor is still connected is another program's and gets its own.
   *
   * If the connection is lost before the answer was handed to the operating system, the leases wait a few seconds for the
   * repetition and are then revoked. If the connection was reset after it, the repetition gets the same leases; without one they
   * stay, because a program may run on them.
   */
  board(passenger: Passenger<T>): Promise<T>;
  /** Revokes what nobody waits for, now and from now on at once, and takes no passenger any more. */
  close(): Promise<void>;
}

export interface FlightOptions<T> {
  /** Ends leases that nobody got. Does not fail. */
  readonly giveBack: (cargo: T) => Promise<void>;
  /** How long leases wait for the repetition after the first, second, … lost connection, in milliseconds. */
  readonly adoptableMs?: readonly number[];
  /** How long the fifth attempt, the CLI's last, is let wait. */
  readonly lastAttemptMs?: number;
  /** From when to when the CLI may give up, in milliseconds since its request was here. */
  readonly givesUpMs?: readonly [number, number];
}

/** A little more than the CLI pauses: 0.75 s at most, three times as long each time. After the fifth attempt it gives up. */
const ADOPTABLE_MS = [5_000, 5_000, 9_000, 23_000, 5_000];
const LAST_ATTEMPT = 5;
/** Without an answer to its last attempt the CLI would start the program on an old file of dead credentials. */
const LAST_ATTEMPT_MS = 9_000;
/** Its ten seconds begin before the request is here, and end before we hear of it. */
const GIVES_UP_MS = [9_000, 11_000] as const;
/** How long after its answer a connection that is reset may mean that the answer was not read. */
const RESET_MS = 5_000;

interface Flight<T> {
  readonly key: string | null;
  readonly abort: AbortController;
  readonly landing: Promise<T>;
  /** How many have waited for it, one after the other. */
  passengers: number;
  /** Whether nothing is left of it that could be handed over: it failed, or was given back. */
  isOver: boolean;
  /** Whether an answer with its leases may have been read: then they are not ours to revoke any more. */
  mayBeRead: boolean;
}

/** The answer must not wait for the revoke. */
class TooLate extends Error {}

export function createFlights<T>({
  giveBack,
  adoptableMs = ADOPTABLE_MS,
  lastAttemptMs = LAST_ATTEMPT_MS,
  givesUpMs = GIVES_UP_MS,
}: FlightOptions<T>): Flights<T> {
  /** Flights that nobody waits for, with what ends their wait. */
  const deserted = new Map<Flight<T>, { readonly timer: NodeJS.Timeout; readonly expire: () => void }>();
  const ending = new Set<Promise<void>>();
  let isClosing = false;

  const start = ({ key, depart }: Passenger<T>): Flight<T> => {
    const abort = new AbortController();
    const flight: Flight<T> = {
      key,
      abort,
      landing: depart(abort.signal),
      passengers: 0,
      isOver: false,
      mayBeRead: false,
    };
    // Of what failed nothing is left that somebody could adopt.
    flight.landing.catch(() => {
      flight.isOver = true;
      forget(flight);
    });
    return flight;
  };

  const adopt = (key: string | null): Flight<T> | undefined => {
    const flight = key === null ? undefined : [...deserted.keys()].find((each) => each.key === key);
    if (flight !== undefined) forget(flight);
    return flight;
  };

  const forget = (flight: Flight<T>): void => {
    clearTimeout(deserted.get(flight)?.timer);
    deserted.delete(flight);
  };

  const desert = (flight: Flight<T>, ms: number, expire: () => void): void => {
    if (flight.isOver) return;
    if (flight.key === null || isClosing) {
      expire();
      return;
    }
    const timer = setTimeout(() => {
      deserted.delete(flight);
      expire();
    }, ms);
    deserted.set(flight, { timer, expire });
  };

  const end = (flight: Flight<T>): Promise<void> => {
    if (flight.isOver || flight.mayBeRead) return Promise.resolve();
    flight.isOver = true;
    forget(flight);
    flight.abort.abort();
    const ended = flight.landing.then(giveBack, () => undefined);
    ending.add(ended);
    return ended.finally(() => ending.delete(ended));
  };

  const endLater = (flight: Flight<T>): void => void end(flight);

  /** Follows a passenger until it has its answer or is gone. */
  const seat = (flight: Flight<T>, response: ServerResponse): void => {
    const { socket } = response;
    flight.passengers += 1;
    const adoptable = adoptableMs[Math.min(flight.passengers, adoptableMs.length) - 1] ?? 0;
    let isHandedOver = false;
    // `writableFinished` is no proof: it is also true once a broken connection has thrown away what was to be written.
    response.once('finish', () => {
      isHandedOver = true;
      if (response.statusCode !== 200) {
        endLater(flight);
        return;
      }
      // The answer is the operating system's: nobody can know whether it is read.
      flight.mayBeRead = true;
      if (socket === null || flight.key === null) return;
      const onClose = (hadError: boolean): void => {
        if (hadError) desert(flight, adoptable, () => undefined);
      };
      socket.once('close', onClose);
      setTimeout(() => socket.off('close', onClose), RESET_MS).unref();
    });
    response.once('close', () => {
      if (isHandedOver) return;
      desert(flight, adoptable, () => {
        endLater(flight);
      });
    });
  };

  const land = (flight: Flight<T>): Promise<T> => {
    if (flight.passengers < LAST_ATTEMPT) return flight.landing;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new TooLate(`Nothing was issued in the time of ${LAST_ATTEMPT} attempts. What was begun is revoked.`));
      }, lastAttemptMs);
    });
    return Promise.race([flight.landing, tooLate]).finally(() => {
      clearTimeout(timer);
    });
  };

  /**
   * An answer that is sent in the moment in which the CLI gives up is lost without a trace, and its repetition would lease again. So
   * it waits until the CLI is gone, or is known to be more patient.
   */
  const hold = (response: ServerResponse, boardedAt: number): Promise<void> => {
    const [from, until] = givesUpMs;
    const age = Date.now() - boardedAt;
    if (age < from || age >= until) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, until - age);
      response.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  };

  return {
    board: async (passenger) => {
      const { key, response, handOver } = passenger;
      if (isClosing) throw refusal(503, 'shutting_down', 'This server is shutting down: ask again.');
      if (isGone(response)) throw new LeaseError('Aborted', 'The caller is gone.');
      const boardedAt = Date.now();
      const flight: Flight<T> = adopt(key) ?? start(passenger);
      seat(flight, response);
      try {
        const cargo = await land(flight);
        if (key !== null) await hold(response, boardedAt);
        // Nothing is on record as delivered that was not about to be sent.
        if (isGone(response)) throw new LeaseError('Aborted', 'The caller is gone.');
        await handOver(cargo);
        return cargo;
      } catch (error) {
        // Somebody who is gone may be back by now: then the flight is no longer this passenger's.
        if (!isGone(response)) {
          const ended = end(flight);
          if (!(error instanceof TooLate)) await ended;
        }
        throw error instanceof TooLate ? new LeaseError('IssueTimeout', error.message) : error;
      }
    },
    close: async () => {
      isClosing = true;
      for (const [flight, { timer, expire }] of [...deserted]) {
        clearTimeout(timer);
        deserted.delete(flight);
        expire();
      }
      await Promise.all(ending);
    },
  };
}

function isGone({ destroyed, closed }: ServerResponse): boolean {
  return destroyed || closed;
}
