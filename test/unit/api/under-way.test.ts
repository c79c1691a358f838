import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { createUnderWay } from '../../../api/under-way';
import type { UnderWay } from '../../../api/under-way';

/** More than the operating system takes for somebody who does not read. */
const MUCH = Buffer.alloc(64 * 1024 * 1024);

let app: FastifyInstance;
let underWay: UnderWay;
let handled: Promise<unknown>;
let answer: () => void;

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
  await app.listen({ host: '127.0.0.1', port: 0 });
});

afterEach(() => app.close());

async function ask(path: string): Promise<Socket> {
  const { port } = app.server.address() as { readonly port: number };
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  const begun = once(app.server, 'request');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await begun;
  return socket;
}

test('an answer that nobody takes is waited for until it is dropped', async () => {
  const socket = (await ask('/much')).pause();
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
  const socket = await ask('/late');
  underWay.dropStalled(performance.now());
  answer();
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  expect(chunk.toString()).toContain('late');
  await underWay.idle();
  socket.destroy();
});
