import type { Config } from '../config/load';
import type { DeprovisionActivities, PlanningActivities, ProvisionActivities } from '../workflows/contract';
import { createConnections } from './connections';
import type { IntegrationType } from './integrations/integration';
import { createDeprovisionActivities, createProvisionActivities } from './lease';
import { createPlanning } from './planning';

export interface ActivitiesDeps {
  readonly config: Config;
  readonly types: Readonly<Record<string, IntegrationType>>;
  readonly deployment: string;
}

/** The activities by the queue that serves them. Provision and deprovision share no connection and no rate. */
export interface Activities {
  readonly planning: PlanningActivities;
  readonly provision: ProvisionActivities;
  readonly deprovision: DeprovisionActivities;
  /** Frees sockets. */
  close(): void;
}

export function createActivities({ config, types, deployment }: ActivitiesDeps): Activities {
  const provisioning = createConnections(config, types);
  const deprovisioning = createConnections(config, types);
  return {
    planning: createPlanning({ config, types, deployment }),
    provision: createProvisionActivities({ config, deployment, connections: provisioning }),
    deprovision: createDeprovisionActivities({ config, deployment, connections: deprovisioning }),
    close: () => {
      provisioning.close();
      deprovisioning.close();
    },
  };
}
