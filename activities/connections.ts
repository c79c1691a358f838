import type { Config, IntegrationSettings } from '../config/load';
import { resolveReference } from '../config/reference';
import { refuse } from './failures';
import type { Integration, IntegrationType } from './integrations/integration';
import { createThrottle } from './rate';

/** Opens the connection of an integration at its first use, so that a process resolves no credential it does not need. */
export interface Connections {
  open(integration: string): Integration;
  close(): void;
}

/** @param types the registry. One `Connections` for each activity queue: each has its own rate. */
export function createConnections(config: Config, types: Readonly<Record<string, IntegrationType>>): Connections {
  const opened = new Map<string, Integration>();
  return {
    open: (name) => {
      const known = opened.get(name);
      if (known !== undefined) return known;
      const { settings, type } = integrationOf(config, types, name);
      const throttle = createThrottle(settings.limits.callsPerSecond);
      const integration = type.connect(settings.connection, { resolveReference, throttle });
      opened.set(name, integration);
      return integration;
    },
    close: () => {
      for (const integration of opened.values()) integration.close();
      opened.clear();
    },
  };
}

/** An integration's settings and type; refused as `UnknownIntegration` if the configuration has no such entry. */
export function integrationOf(
  config: Config,
  types: Readonly<Record<string, IntegrationType>>,
  name: string,
): { readonly settings: IntegrationSettings; readonly type: IntegrationType } {
  const settings = config.integrations[name];
  const type = settings === undefined ? undefined : types[settings.type];
  if (settings !== undefined && type !== undefined) return { settings, type };
  throw refuse(
    'UnknownIntegration',
    `Integration ${name} is not in this worker's configuration. Put the entry back: its leases can then end.`,
  );
}
