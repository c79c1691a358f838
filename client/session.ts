import type { Client } from '@temporalio/client';

/** What every call needs. */
export interface Session {
  readonly client: Client;
  readonly namespace: string;
  /** This installation's mark; part of derived lease ids. */
  readonly deployment: string;
}
