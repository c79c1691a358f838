import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

const ATTEMPTS = 3;

/** A port of the loopback address that nothing listens on at the moment: the preferred one if it is free. */
export async function findPort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await tryPort(preferred)) !== null) return preferred;
  const port = await tryPort(0);
  if (port === null) throw new Error('The system gives no free port.');
  return port;
}

/**
 * Starts something on free ports. Between the look and the start another program may take one: then it is tried again on
 * others. A failure that no taken port explains is thrown at once.
 */
export async function onFreePorts<Name extends string, T>(
  preferred: Readonly<Record<Name, number | undefined>>,
  start: (ports: Readonly<Record<Name, number>>) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const ports = {} as Record<Name, number>;
    for (const name in preferred) ports[name] = await findPort(attempt === 1 ? preferred[name] : undefined);
    try {
      return await start(ports);
    } catch (error) {
      if (attempt === ATTEMPTS || !(await isOneTaken(Object.values(ports)))) throw error;
    }
  }
}

async function isOneTaken(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) if ((await tryPort(port)) === null) return true;
  return false;
}

async function tryPort(wanted: number): Promise<number | null> {
  const server = createServer();
  server.listen(wanted, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return null;
  }
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
