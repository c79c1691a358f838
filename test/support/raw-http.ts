import { connect } from 'node:net';

/**
 * Sends bytes as they are, piece by piece, and answers all that came back by the end of the connection.
 * @param pieces may go on for ever: sending ends with the connection.
 */
export function sendRaw(url: string, pieces: Iterable<string>, pauseMs = 0): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    const rest = pieces[Symbol.iterator]();
    let answer = '';
    let timer: NodeJS.Timeout | undefined;
    const next = (): void => {
      const piece = rest.next();
      if (piece.done === true || socket.destroyed) return;
      socket.write(piece.value);
      timer = setTimeout(next, pauseMs);
    };
    socket
      .on('connect', next)
      .on('data', (chunk) => (answer += chunk.toString()))
      .on('error', () => undefined)
      .on('close', () => {
        clearTimeout(timer);
        resolve(answer);
      });
  });
}
