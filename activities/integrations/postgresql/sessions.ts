import type { Client } from 'pg';
import type { Whereto } from './connect';

/** Connections to one server: never more than so many at once, those that are idle included. */
export interface Sessions {
  /**
   * Lends a connection that nothing was sent on yet, or that answered everything well. When `act` fails it is closed: a
   * server may still be busy with what it was asked last.
   * @param signal whoever waits for a connection waits no longer than this.
   */
  use<T>(where: Whereto, signal: AbortSignal, act: (client: Client) => Promise<T>): Promise<T>;
  /** Closes what is idle. */
  dropIdle(): void;
  /** Closes what is idle now, and the rest as soon as it is given back. */
  close(): void;
}

export interface SessionsOptions {
  readonly open: (where: Whereto) => Promise<Client>;
  readonly size: number;
  /** How long a connection that nobody uses is kept. */
  readonly idleMs: number;
}

interface Idle {
  readonly key: string;
  readonly client: Client;
  readonly timer: NodeJS.Timeout;
}

export function openSessions({ open, size, idleMs }: SessionsOptions): Sessions {
  const idle: Idle[] = [];
  const waiting: (() => void)[] = [];
  let busy = 0;
  let closed = false;

  function acquire(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (busy < size) {
      busy += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal.reason as Error);
      };
      const go = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      waiting.push(go);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Hands the turn on to who waited longest. */
  function release(): void {
    const next = waiting.shift();
    if (next === undefined) busy -= 1;
    else next();
  }

  function forget(client: Client): void {
    const at = idle.findIndex((each) => each.client === client);
    if (at === -1) return;
    const [gone] = idle.splice(at, 1);
    clearTimeout(gone?.timer);
  }

  function keep(key: string, client: Client): void {
    if (closed) {
      destroy(client);
      return;
    }
    const timer = setTimeout(() => {
      forget(client);
      destroy(client);
    }, idleMs);
    timer.unref();
    idle.push({ key, client, timer });
  }

  function dropIdle(): void {
    for (const { client, timer } of idle.splice(0)) {
      clearTimeout(timer);
      destroy(client);
    }
  }

  async function take(where: Whereto, key: string): Promise<Client> {
    // The one used last is the one that is most likely still there.
    const known = idle.findLast((each) => each.key === key);
    if (known !== undefined) {
      forget(known.client);
      return known.client;
    }
    const oldest = idle[0];
    if (oldest !== undefined && busy + idle.length > size) {
      forget(oldest.client);
      destroy(oldest.client);
    }
    const client = await open(where);
    client.once('end', () => {
      forget(client);
    });
    client.on('error', () => {
      forget(client);
    });
    return client;
  }

  return {
    async use(where, signal, act) {
      await acquire(signal);
      try {
        const key = JSON.stringify([where.database, where.role]);
        const client = await take(where, key);
        try {
          const result = await act(client);
          keep(key, client);
          return result;
        } catch (error) {
          destroy(client);
          throw error;
        }
      } finally {
        release();
      }
    },
    dropIdle,
    close() {
      closed = true;
      dropIdle();
    },
  };
}

/** Says goodbye if that is possible without waiting, and cuts the connection if a statement is under way. */
function destroy(client: Client): void {
  client.end().catch(() => undefined);
}
