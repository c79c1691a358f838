import type { FastifyReply, FastifyRequest } from 'fastify';

/** Requests whose handlers have not come to their end: they may have a lease to revoke although nobody waits for them any more. */
export interface UnderWay {
  begin(request: FastifyRequest, reply: FastifyReply): void;
  /** Its answer is about to be sent, or would be if somebody were there. */
  answered(request: FastifyRequest): void;
  /** Ends when there is none. */
  idle(): Promise<void>;
}

export function createUnderWay(): UnderWay {
  const open = new Set<FastifyRequest>();
  let waiting: (() => void)[] = [];

  const end = (request: FastifyRequest): void => {
    open.delete(request);
    if (open.size > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };

  return {
    begin: (request, reply) => {
      open.add(request);
      reply.raw.once('close', () => {
        // One that was taken out of the framework's hands, a stream, is over with its connection.
        if (reply.sent) end(request);
      });
    },
    answered: end,
    idle: () =>
      open.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push(resolve);
          }),
  };
}
