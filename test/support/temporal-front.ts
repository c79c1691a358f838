import { connect, constants, createSecureServer } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { SelfSigned } from './self-signed';

/** A way to Temporal as a hosted one is reached: by TLS, and only for those who show a certificate or a key. */
export interface TemporalFront {
  /** `localhost:port`. */
  readonly address: string;
  /** The header `authorization` of every call so far; null: it had none. */
  authorizations(): readonly (string | null)[];
  /** How often each call was made, by its name. */
  calls(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

export interface FrontOptions {
  /** Where Temporal is, `host:port`. */
  readonly target: string;
  readonly identity: SelfSigned;
  /** Whose certificates a client must have, in PEM. */
  readonly clientCa?: string;
  /** What a client must send as a bearer token. */
  readonly apiKey?: string;
}

const REFUSED = {
  ':status': 200,
  'content-type': 'application/grpc',
  // Unauthenticated.
  'grpc-status': '16',
  'grpc-message': 'Request unauthorized.',
};

export async function startTemporalFront({ target, identity, clientCa, apiKey }: FrontOptions): Promise<TemporalFront> {
  const authorizations: (string | null)[] = [];
  const calls: Record<string, number> = {};
  const sessions = new Set<ServerHttp2Session>();
  const upstream: ClientHttp2Session = connect(`http://${target}`);
  upstream.on('error', () => undefined);
  const server = createSecureServer({
    ...identity,
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined).on('close', () => sessions.delete(session));
  });
  server.on('stream', (near, headers) => {
    near.on('error', () => undefined);
    const { authorization = null } = headers;
    authorizations.push(authorization);
    const call = String(headers[':path']).split('/').at(-1)!;
    calls[call] = (calls[call] ?? 0) + 1;
    if (apiKey === undefined || authorization === `Bearer ${apiKey}`) passOn(upstream, near, headers);
    else near.respond(REFUSED, { endStream: true });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `localhost:${(server.address() as AddressInfo).port}`,
    authorizations: () => authorizations,
    calls: () => calls,
    close: async () => {
      for (const session of sessions) session.destroy();
      upstream.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One call, with the trailers in which gRPC says how it ended. */
function passOn(upstream: ClientHttp2Session, near: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const own = Object.entries(headers).filter(([name]) => name !== ':scheme' && name !== ':authority');
  const far = upstream.request(Object.fromEntries(own));
  far.on('error', () => undefined);
  const trailers = new Promise<IncomingHttpHeaders>((resolve) => {
    far.once('trailers', resolve).once('close', () => {
      resolve({});
    });
  });
  far.once('response', (answer, flags) => {
    if (near.destroyed) return;
    const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    near.respond(answer, { endStream: isWhole, waitForTrailers: !isWhole });
    if (!isWhole) far.pipe(near);
  });
  near.once('wantTrailers', () => {
    void trailers.then((last) => {
      if (!near.destroyed) near.sendTrailers(last);
    });
  });
  // A poll that its worker gives up is given up on the other side, too.
  near.once('close', () => {
    far.close(near.rstCode);
  });
  far.once('close', () => {
    if (far.rstCode !== constants.NGHTTP2_NO_ERROR) near.close(far.rstCode);
  });
  near.pipe(far);
}
