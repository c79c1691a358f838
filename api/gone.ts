import type { FastifyReply } from 'fastify';

/**
 * Calls back once, when the connection is closed or the answer has been handed to it, with whether it was.
 * Of a client that has gone already it tells at once.
 */
export function onceAnswered(reply: FastifyReply, then: (wasSent: boolean) => void): void {
  const { raw } = reply;
  if (raw.destroyed || raw.socket?.destroyed === true) {
    then(raw.writableFinished);
    return;
  }
  raw.once('close', () => {
    then(raw.writableFinished);
  });
}

/** Aborted when the client hangs up before it has its answer. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  onceAnswered(reply, (wasSent) => {
    if (!wasSent) controller.abort();
  });
  return controller.signal;
}
