import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** More than the operating system takes for somebody who does not read. */
export const MUCH = Buffer.alloc(64 * 1024 * 1024);

/** A connection on which a test writes what no HTTP client would. */
export interface RawConnection {
  readonly socket: Socket;
  write(text: string): void;
  /** All that came back so far. */
  readonly received: () => string;
  /** Ends when the other side has closed. */
  readonly closed: Promise<void>;
}

export async function openRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk)));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => {
      resolve();
    }),
  );
  await new Promise<void>((resolve) =>
    socket.once('connect', () => {
      resolve();
    }),
  );
  return { socket, write: (chunk) => void socket.write(chunk), received: () => text, closed };
}
