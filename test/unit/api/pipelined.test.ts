import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { watchPipelined } from '../../../api/pipelined';
import { eventually } from '../../support/base-lab';
import { openRaw } from '../../support/raw-connection';
import type { RawConnection } from '../../support/raw-connection';

let app: FastifyInstance;
let answer: () => void;
let left: number;
let url: string;

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
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});

afterEach(() => app.close());

async function send(requests: number): Promise<RawConnection> {
  const connection = await openRaw(url);
  connection.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(requests));
  return connection;
}

test('requests that are sent ahead are all answered', async () => {
  const { socket, received } = await send(30);
  answer();
  await eventually(() => Promise.resolve(received().match(/answered/g)?.length === 30), 'thirty answers');
  socket.destroy();
});

test('a connection that is lost is told to all that wait on it', async () => {
  const { socket, closed } = await send(30);
  socket.end();
  await closed;
  await eventually(() => Promise.resolve(left === 30), 'all to be told');
});

test('a connection on which too many wait is closed', async () => {
  const { closed } = await send(100);
  await closed;
  await eventually(() => Promise.resolve(left === 100), 'all to be told');
});
