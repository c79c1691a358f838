import { createServer, request as forward } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Passes requests on unchanged and remembers what was answered: so a test knows secrets that nobody was handed. */
export interface Tap {
  readonly url: string;
  /** Bodies of all answers so far. */
  readonly answers: readonly string[];
  close(): Promise<void>;
}

/** @param target asked at each request. */
export async function startTap(target: () => string): Promise<Tap> {
  const answers: string[] = [];
  const server = createServer((request, response) => {
    const { method, url: path, headers } = request;
    const { hostname, port } = new URL(target());
    const asked = forward({ hostname, port, method, path, headers }, (answer) => {
      read(answer).then(
        (body) => {
          answers.push(body.toString());
          response.writeHead(answer.statusCode ?? 500, answer.headers).end(body);
        },
        () => response.destroy(),
      );
    });
    asked.on('error', () => response.destroy());
    request.on('error', () => asked.destroy());
    request.pipe(asked);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
