import type { DatadogEmulator } from '../../dev/datadog-emulator/datadog-emulator';
import { leaseIdOf } from './deeds';
import type { EntitySeen } from './trace';

/** The keys that Datadog itself has, by their names. */
export function keysOf(emulator: DatadogEmulator, deployment: string): readonly EntitySeen[] {
  const ids = new Map<string, string[]>();
  for (const { name, id } of [...emulator.apiKeys(), ...emulator.applicationKeys()]) {
    if (leaseIdOf(deployment, name) === null) continue;
    ids.set(name, [...(ids.get(name) ?? []), id]);
  }
  return [...ids].map(([name, identities]) => ({
    integration: 'datadog',
    name,
    leaseId: leaseIdOf(deployment, name),
    identities,
  }));
}
