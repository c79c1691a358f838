import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalGroup } from '../../dev/process-group';
import { steadyPort } from '../../dev/steady-port';
import { startTemporalServer } from '../../dev/temporal-server';
import type { TemporalServer } from '../../dev/temporal-server';
import type { Pauses } from './pauses';
import { supervise } from './supervised';
import type { Life, Supervised } from './supervised';

/** The server of a world, which all know by one address. */
export interface Temporal extends Supervised {
  readonly address: string;
  /** Whether nothing was done to it since this instant. */
  isCalmSince(instant: number): boolean;
}

export interface TemporalOptions {
  readonly binary: string;
  readonly directory: string;
  readonly pauses: Pauses;
  readonly onCrash: (process: 'temporal', how: string) => void;
}

/** The server itself keeps to no time when it is asked to end. */
const ENDS_WITHIN_MS = 10_000;

/** Starts it on a database file, with which it goes on after each end. */
export async function startTemporal({ binary, directory, pauses, onCrash }: TemporalOptions): Promise<Temporal> {
  const port = await steadyPort();
  const server = supervise({
    launch: () =>
      launch({
        binary,
        port,
        databaseFile: join(directory, 'temporal.db'),
        logFile: join(directory, 'temporal.log'),
      }),
    pauses,
    isCalmSince: () => true,
    onCrash: (how) => {
      onCrash('temporal', how);
    },
    endsWithinMs: ENDS_WITHIN_MS,
    endsWell: false,
  });
  let disturbances = 0;
  let calmFrom = Date.now();

  async function disturbed(act: () => Promise<boolean>): Promise<boolean> {
    disturbances += 1;
    try {
      return await act();
    } finally {
      disturbances -= 1;
      calmFrom = Date.now();
    }
  }

  return {
    ...server,
    address: `127.0.0.1:${port}`,
    isCalmSince: (instant) => disturbances === 0 && calmFrom <= instant,
    kill: (downMs) => disturbed(() => server.kill(downMs)),
    restart: () => disturbed(() => server.restart()),
    freeze: (forMs) => disturbed(() => server.freeze(forMs)),
  };
}

interface LaunchOptions {
  readonly binary: string;
  readonly port: number;
  readonly databaseFile: string;
  readonly logFile: string;
}

/** A life of the server on its database file and its port. A signal that comes before it is ready waits until then. */
function launch(options: LaunchOptions): Life {
  let server: TemporalServer | null = null;
  let isOver = false;
  const waiting: NodeJS.Signals[] = [];

  function send(name: NodeJS.Signals): void {
    if (server === null) waiting.push(name);
    else if (!isOver) signalGroup(server.pid, name);
  }

  const ready = start(options).then((started) => {
    server = started;
    void started.ended.then(() => (isOver = true));
    for (const name of waiting) send(name);
  });
  const ended = ready.then(
    () => server!.ended.then(() => null),
    () => null,
  );
  ready.catch(() => undefined);
  return {
    get pid() {
      return server?.pid ?? null;
    },
    ready,
    ended,
    signal: send,
  };
}

/** On its own port or not at all: everybody is told of it but once. */
async function start(options: LaunchOptions): Promise<TemporalServer> {
  for (;;) {
    const server = await startTemporalServer({ ...options, headless: true });
    if (server.address.endsWith(`:${options.port}`)) return server;
    await server.kill();
    await sleep(200);
  }
}
