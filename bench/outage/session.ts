import { Client } from 'pg';
import type { Provider } from '../provider';
import type { Credential } from '../expire/party';

/** A holder's session at PostgreSQL that was opened while the credential lived, and stays open. */
export interface HeldSession {
  /** When it was seen to have ended, or to answer no more, in milliseconds of the epoch; null: it still answers. */
  ended(): Promise<number | null>;
  close(): Promise<void>;
}

/** Logs in with a credential, past any gate. */
export async function holdSession(
  { server, database }: Pick<Provider, 'server' | 'database'>,
  { role, password }: Credential,
): Promise<HeldSession> {
  const { host, port } = server;
  const client = new Client({ host, port, database, user: role, password, connectionTimeoutMillis: 10_000 });
  let endedAt: number | null = null;
  client.on('error', () => undefined);
  client.on('end', () => {
    endedAt ??= Date.now();
  });
  await client.connect();
  return {
    async ended() {
      if (endedAt === null) {
        await client.query('SELECT 1').catch(() => {
          endedAt ??= Date.now();
        });
      }
      return endedAt;
    },
    close: () => client.end(),
  };
}
