import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { watchPipelined } from '../../../api/pipelined';
import { eventually } from '../../support/base-lab';

let app: FastifyInstance;
let answer: () => void;
let left: number;

beforeEach(async () => {
  left = 0;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  app = fastify({ forceCloseConnections: true });
  watchPipelined(app);
  app.get('/', async (_, reply) => {
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) left += 1;
    });
    await answered;
    return 'answered';
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
});

afterEach(() => app.close());

async function send(requests: number): Promise<Socket> {
  const { port } = app.server.address() as { readonly port: number };
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(requests));
  return socket;
}

test('requests that are sent ahead are all answered', async () => {
  const socket = await send(30);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  answer();
  await eventually(() => Promise.resolve(text.match(/answered/g)?.length === 30), 'thirty answers');
  socket.destroy();
});

test('a connection that is lost is told to all that wait on it', async () => {
  const socket = await send(30);
  await once(socket.end(), 'close').catch(() => undefined);
  await eventually(() => Promise.resolve(left === 30), 'all to be told');
});

test('a connection on which too many wait is closed', async () => {
  const socket = await send(100);
  await once(socket.resume(), 'close');
  await eventually(() => Promise.resolve(left === 100), 'all to be told');
});
