import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { endConnection } from '../../../api/end-connection';
import { MUCH } from '../../support/raw-connection';

/** Both ends of one connection. */
async function open() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  client.on('error', () => undefined);
  return { client, socket };
}

test('what was written is sent before the connection is closed', async () => {
  const { client, socket } = await open();
  socket.write('farewell');
  endConnection(socket);
  expect(await text(client)).toBe('farewell');
});

test('a connection whose other side reads nothing is closed all the same', async () => {
  const { client, socket } = await open();
  client.pause();
  socket.write(MUCH);
  endConnection(socket);
  await once(socket, 'close');
  expect(socket.destroyed).toBe(true);
  client.destroy();
}, 5_000);
