import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Clients send a request when they have the answer to the one before; some send a few ahead. */
const MOST_WAITING = 32;

/**
 * Tells responses of the loss of their connection also while they wait for that of an earlier request on it. Node tells only the
 * one whose turn it is, and of a lost client's other requests neither the end nor that nobody gets their leases would be known.
 * A connection on which too many wait is closed: who does not read his answers would have them all kept for him.
 * To be called before any other hook is added.
 */
export function watchPipelined(app: FastifyInstance): void {
  const queues = new WeakMap<Socket, Set<ServerResponse>>();

  const queueOf = (socket: Socket): Set<ServerResponse> => {
    const known = queues.get(socket);
    if (known !== undefined) return known;
    const queue = new Set<ServerResponse>();
    queues.set(socket, queue);
    socket.once('close', () => {
      for (const response of queue) {
        response.destroy();
        response.emit('close');
      }
    });
    return queue;
  };

  app.addHook('onRequest', ({ raw: { socket } }, { raw: response }, done) => {
    if (response.socket === null) {
      const queue = queueOf(socket);
      queue.add(response);
      if (queue.size > MOST_WAITING) socket.destroy();
      response.once('socket', () => queue.delete(response));
    }
    done();
  });
}
