import type { IntegrationName } from './plan-types';
import type { EntitySeen } from './trace';

/** A credential may be more than one thing to sign in with, e.g. two keys: their ids are joined by a comma. */
export function identitiesOf(identity: string): readonly string[] {
  return identity.split(',');
}

/** What of these entities can be signed in with. */
export function shownBy(entities: readonly EntitySeen[]): readonly string[] {
  return entities.flatMap(({ identities }) => identities);
}

/** How many of them one credential is: at Datadog an API key and an application key. */
export const SIGN_INS: Readonly<Record<IntegrationName, number>> = { aws: 1, database: 1, datadog: 2 };
