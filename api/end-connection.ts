import type { Socket } from 'node:net';

/** Far longer than a last answer takes to be sent to whoever reads it. */
const SENT_WITHIN_MS = 2_000;

/** Closes a connection once what was written on it is sent; who does not read it is not waited for. */
export function endConnection(socket: Socket): void {
  socket.destroySoon();
  if (socket.destroyed) return;
  const timer = setTimeout(() => {
    socket.destroy();
  }, SENT_WITHIN_MS).unref();
  socket.once('close', () => {
    clearTimeout(timer);
  });
}
