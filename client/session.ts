import type { Client } from '@temporalio/client';
import type { KeepName } from './identity';

/** What every call needs. */
export interface Session {
  readonly client: Client;
  readonly namespace: string;
  /** This installation's mark; part of derived lease ids. */
  readonly deployment: string;
  /** Who asks, as it is kept: what the caller says of itself is marked as asserted by it, unless the caller is to be believed. */
  readonly keptName: KeepName;
}
