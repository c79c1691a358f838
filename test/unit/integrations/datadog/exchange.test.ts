import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { openConnections } from '../../../../activities/integrations/datadog/exchange';

let server: Server;
let answer: (socket: Socket) => void;
const connections = openConnections();

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      answer(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  connections.close();
  await new Promise((resolve) => server.close(resolve));
});

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n';

test.each([
  ['silence', ''],
  ['another protocol', 'SSH-2.0-OpenSSH\r\n'],
  ['a change of protocols', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'],
  ['an answer that never ends', `${HEAD}{}`],
  ['headers without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}`],
])('%s fails a call within its time', async (_, text) => {
  answer = (socket) => socket.write(text);
  await expect(exchange()).rejects.toThrow();
});

test('an answer that is cut short is none', async () => {
  answer = (socket) => socket.end(`${HEAD}{}`);
  await expect(exchange()).rejects.toThrow();
});

test('what goes before an answer is not taken for it', async () => {
  answer = (socket) => socket.write('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
  await expect(exchange()).resolves.toMatchObject({ status: 200, text: '{}' });
});

function exchange() {
  const { port } = server.address() as AddressInfo;
  const request = { url: `http://127.0.0.1:${port}/`, method: 'GET', headers: {}, body: undefined };
  return connections.exchange(request, { timeoutMs: 500, beforeSending: () => undefined, reuse: true });
}
