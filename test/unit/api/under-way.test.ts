import { once } from 'node:events';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { createUnderWay } from '../../../api/under-way';
import type { UnderWay } from '../../../api/under-way';
import { MUCH, openRaw } from '../../support/raw-connection';
import type { RawConnection } from '../../support/raw-connection';

let app: FastifyInstance;
let underWay: UnderWay;
let handled: Promise<unknown>;
let answer: () => void;
let url: string;

beforeEach(async () => {
  underWay = createUnderWay();
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  app = fastify({ forceCloseConnections: true });
  app.addHook('onRequest', (request, reply, done) => {
    underWay.begin(request, reply);
    done();
  });
  handled = new Promise((resolve) => {
    app.addHook('onSend', (request, _, payload, done) => {
      underWay.handled(request);
      resolve(payload);
      done();
    });
  });
  app.get('/much', () => MUCH);
  app.get('/late', async () => {
    await answered;
    return 'late';
  });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});

afterEach(() => app.close());

async function ask(path: string): Promise<RawConnection> {
  const connection = await openRaw(url);
  const begun = once(app.server, 'request');
  connection.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await begun;
  return connection;
}

test('an answer that nobody takes is waited for until it is dropped', async () => {
  const { socket } = await ask('/much');
  socket.pause();
  await handled;
  const idle = underWay.idle();
  underWay.dropStalled(performance.now() - 60_000);
  expect(
    await Promise.race([idle.then(() => 'idle'), new Promise((resolve) => setTimeout(resolve, 200, 'busy'))]),
  ).toBe('busy');
  underWay.dropStalled(performance.now());
  await idle;
  socket.destroy();
});

test('a request that is still being handled is not dropped', async () => {
  const { socket, received } = await ask('/late');
  underWay.dropStalled(performance.now());
  answer();
  await once(socket, 'data');
  expect(received()).toContain('late');
  await underWay.idle();
  socket.destroy();
});
