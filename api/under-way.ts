import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Requests that are not over. One whose asker has left is not over before its handler is: it may have a lease to revoke that nobody
 * waits for any more.
 */
export interface UnderWay {
  begin(request: FastifyRequest, reply: FastifyReply): void;
  /** Its handler has come to its end. */
  handled(request: FastifyRequest): void;
  /** Ends when there is none. */
  idle(): Promise<void>;
  /**
   * Ends those that have not even been received whole, and those whose answer has still not been taken though it was there before.
   * @param instant of `performance.now`.
   */
  dropStalled(instant: number): void;
}

interface Progress {
  /** Of `performance.now`; undefined: it is not yet. */
  handledAt: number | undefined;
  isClosed: boolean;
}

export function createUnderWay(): UnderWay {
  const open = new Map<FastifyRequest, Progress>();
  let waiting: (() => void)[] = [];

  const look = (request: FastifyRequest, { handledAt, isClosed }: Progress): void => {
    if (handledAt !== undefined && isClosed) open.delete(request);
    if (open.size > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };

  return {
    begin: (request, reply) => {
      const progress: Progress = { handledAt: undefined, isClosed: false };
      open.set(request, progress);
      reply.raw.once('close', () => {
        progress.isClosed = true;
        // One that was taken out of the framework's hands, a stream, is over with its connection.
        if (reply.sent) progress.handledAt ??= performance.now();
        look(request, progress);
      });
    },
    handled: (request) => {
      const progress = open.get(request);
      if (progress === undefined) return;
      progress.handledAt ??= performance.now();
      look(request, progress);
    },
    idle: () =>
      open.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push(resolve);
          }),
    dropStalled: (instant) => {
      for (const [{ raw }, { handledAt = Infinity }] of open)
        if (!raw.complete || handledAt < instant) raw.socket.destroy();
    },
  };
}
