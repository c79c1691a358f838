import type { Client } from '@temporalio/client';
import type { LogLevel } from '../../config/environment';
import type { Tools } from '../../dev/tools';
import type { CallFault, Fault, IntegrationName, ProcessName } from './plan-types';
import type { DeedSeen, EntitySeen, FaultSeen } from './trace';

/** Which part of the worker is broken on purpose, so that the checker is seen to find it. */
export type Break = 'fence' | 'plan' | 'sweep';

export interface WorldOptions {
  readonly broken: Break | null;
  /** Default: found or installed. */
  readonly tools?: Tools;
  /** Of the programs. Default `info`. */
  readonly logLevel?: LogLevel;
  readonly onDeed: (deed: DeedSeen) => void;
  readonly onCrash: (process: ProcessName | 'temporal', how: string) => void;
}

/** Everything that runs: Temporal on a file, two workers, two APIs, three providers behind proxies. */
export interface World {
  /** Of this machine: `http://127.0.0.1:<port>` by API; the same after each start. */
  readonly urls: Readonly<Record<'api-1' | 'api-2', string>>;
  /** Tokens by holder; `admin` has the right. The others may lease: `ada`, `bob`, `eve`. */
  readonly tokens: Readonly<Record<string, string>>;
  readonly project: string;
  readonly config: string;
  /** The dynamic secret of each integration. TTLs from 1 s to 2 minutes. */
  readonly dynamicSecrets: Readonly<Record<IntegrationName, string>>;
  /** Straight to Temporal. */
  readonly client: Client;
  readonly namespace: string;
  readonly deployment: string;
  /** Holds database, logs, audit lines, configuration and the programs' TMPDIR: everything that a run leaves on disk. */
  readonly directory: string;
  readonly auditFiles: readonly string[];
  /** Values that no file and no history may hold, by what they are. The orchestrator's own. */
  readonly secrets: ReadonlyMap<string, string>;
  /** All entities that the provider holds of ours, from the provider itself. Works during every fault. */
  entities(integration: IntegrationName): Promise<readonly EntitySeen[]>;
  /** Uses a leased credential at the provider itself. `ok`, or the refusal. */
  use(integration: IntegrationName, credential: Readonly<Record<string, string>>): Promise<string>;
  /** Of the credential, see IssueSeen. */
  identityOf(integration: IntegrationName, credential: Readonly<Record<string, string>>): string;
  /** Injects one and resolves when it is over. Never rejects for what a fault may bring about. */
  inject(fault: Fault): Promise<FaultSeen>;
  /**
   * Writes the configuration anew and tells all processes by SIGHUP. `invalid`: with an error first, which is mended after two
   * seconds.
   */
  reload(invalid: boolean): Promise<void>;
  /** Ends all faults: everything runs, with the right clock, on a valid configuration. */
  heal(): Promise<void>;
  /** Alerts received so far. */
  alerts(): readonly { readonly at: number; readonly event: string; readonly integration: string | null }[];
  /** Ends the programs of ours, not Temporal and the providers, so that the files are complete. */
  stopPrograms(): Promise<void>;
  close(): Promise<void>;
}

export type { CallFault };
