import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { findPort, onFreePorts } from '../../../dev/ports';

const opened: Server[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) {
    server.close();
    await once(server, 'close');
  }
});

async function occupy(port: number): Promise<number> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  opened.push(server);
  return (server.address() as AddressInfo).port;
}

test('a preferred port is taken if it is free, else another', async () => {
  const free = await findPort();
  expect(await findPort(free)).toBe(free);
  const taken = await occupy(0);
  expect(await findPort(taken)).not.toBe(taken);
});

test('a port that another program takes first is given up for another', async () => {
  const tried: number[] = [];
  const preferred = await findPort();
  const port = await onFreePorts({ port: preferred }, async (ports) => {
    tried.push(ports.port);
    if (tried.length === 1) {
      await occupy(ports.port);
      throw new Error('address already in use');
    }
    return ports.port;
  });
  expect(tried).toEqual([preferred, port]);
  expect(port).not.toBe(preferred);
});

test('a failure for another reason is not tried again', async () => {
  let tries = 0;
  const started = onFreePorts({ port: undefined }, () => {
    tries += 1;
    return Promise.reject(new Error('broken'));
  });
  await expect(started).rejects.toThrow('broken');
  expect(tries).toBe(1);
});
