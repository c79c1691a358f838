import type { Client } from '@temporalio/client';
import type { AuditWriter } from '../audit/writer';
import type { LeaseService } from '../client/service';
import type { Config } from '../config/load';
import type { Logger } from '../telemetry/logger';
import type { Metrics } from '../telemetry/metrics';
import type { Authenticate } from './identity/authenticate';

/** What the API works with. Nothing of it holds a provider's credential. */
export interface ApiDeps {
  /** The configuration in force at this moment: it may be another one at the next request. */
  readonly config: () => Config;
  readonly leases: LeaseService;
  /** For what is not a lease: bulk revokes, blocks, checks, who polls the queues. */
  readonly client: Client;
  readonly namespace: string;
  readonly authenticate: Authenticate;
  readonly audit: AuditWriter;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Whether the process is about to end, and balancers are to send their requests elsewhere. Default: it is not. */
  readonly isLeaving?: () => boolean;
}
