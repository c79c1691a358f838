import type { Client } from '@temporalio/client';
import type { AuditWriter } from '../audit/writer';
import type { Config } from '../config/load';
import type { Logger } from '../telemetry/logger';
import type { Metrics } from '../telemetry/metrics';
import type {
  DeprovisionActivities,
  KeepingActivities,
  PlanningActivities,
  ProvisionActivities,
  UpkeepActivities,
} from '../workflows/contract';
import { createAdmission } from './admission';
import { createBulk } from './bulk/bulk';
import { checkIntegration } from './check';
import { createConnections } from './connections';
import { createDoor } from './door';
import { nudgeWaiting, probe } from './incidents/probe';
import { reopenIncidents } from './incidents/reopen';
import { createReporter } from './incidents/reporter';
import type { IntegrationType } from './integrations/integration';
import { createKeeping } from './keeping';
import { forWorkflows } from './for-workflows';
import { createDeprovisionActivities, createProvisionActivities } from './lease';
import { createPlanning } from './planning';
import { createQuotaGate } from './quota';
import { sweep } from './sweep/sweep';

export interface ActivitiesDeps {
  readonly config: Config;
  readonly types: Readonly<Record<string, IntegrationType>>;
  /** This installation's mark on entities, of the namespace as it was when the process began. */
  readonly deployment: string;
  readonly client: Client;
  readonly namespace: string;
  /** By which Temporal knows this process. */
  readonly identity: string;
  readonly audit: AuditWriter;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** The activities by the queue that serves them. Provision and deprovision share no connection and no rate. */
export interface Activities {
  /** On the workflow queue, without any integration's credential. */
  readonly workflow: PlanningActivities & KeepingActivities;
  readonly provision: ProvisionActivities;
  readonly deprovision: DeprovisionActivities;
  /** By the same connections as deprovision. */
  readonly upkeep: UpkeepActivities;
  /** Opens the incidents that there should be and are not: for leases that reported to one that was ended by hand. */
  reopenIncidents(): Promise<void>;
  /** Frees sockets. */
  close(): void;
}

export function createActivities(deps: ActivitiesDeps): Activities {
  const { config, types, deployment, client, metrics } = deps;
  const provisioning = createConnections(config, types);
  const deprovisioning = createConnections(config, types);
  const reporter = createReporter(client);
  const removing = { ...deps, connections: deprovisioning, reporter };
  return {
    workflow: forWorkflows({
      ...createPlanning({ config, types, deployment, door: createDoor(client), admission: createAdmission(client) }),
      ...createKeeping({ ...deps, reporter }),
      ...createBulk(deps),
    }),
    provision: forWorkflows(
      createProvisionActivities({
        config,
        types,
        deployment,
        metrics,
        connections: provisioning,
        quota: createQuotaGate(config, provisioning, metrics),
      }),
    ),
    deprovision: forWorkflows(createDeprovisionActivities(removing)),
    upkeep: forWorkflows<UpkeepActivities>({
      probe: (input) => probe(removing, input),
      nudgeWaiting: (input) => nudgeWaiting(removing, input),
      sweep: (input) => sweep(removing, input),
      check: (input) => checkIntegration(removing, input),
    }),
    reopenIncidents: () => reopenIncidents(client, config, reporter),
    close: () => {
      provisioning.close();
      deprovisioning.close();
    },
  };
}
