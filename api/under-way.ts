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
  /** Ends those that have not even been received whole. */
  dropUnread(): void;
}

interface Progress {
  isHandled: boolean;
  isClosed: boolean;
}

export function createUnderWay(): UnderWay {
  const open = new Map<FastifyRequest, Progress>();
  let waiting: (() => void)[] = [];

  const look = (request: FastifyRequest, { isHandled, isClosed }: Progress): void => {
    if (isHandled && isClosed) open.delete(request);
    if (open.size > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };

  return {
    begin: (request, reply) => {
      const progress = { isHandled: false, isClosed: false };
      open.set(request, progress);
      reply.raw.once('close', () => {
        progress.isClosed = true;
        // One that was taken out of the framework's hands, a stream, is over with its connection.
        progress.isHandled ||= reply.sent;
        look(request, progress);
      });
    },
    handled: (request) => {
      const progress = open.get(request);
      if (progress === undefined) return;
      progress.isHandled = true;
      look(request, progress);
    },
    idle: () =>
      open.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push(resolve);
          }),
    dropUnread: () => {
      for (const { raw } of open.keys()) if (!raw.complete) raw.destroy();
    },
  };
}
