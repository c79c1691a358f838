import { IntegrationError } from '../integration';
import type { Check, Quota } from '../integration';
import { openReader } from './calls';
import type { Call, CallContext, Reader } from './calls';
import { isDenied, isNotFound } from './errors';
import { restate } from '../own-errors';
import { isUnscoped, readOwner, readPermissions } from './identity';
import type { Owner } from './identity';
import { wantsApiKey } from './kinds';
import { ownKeys } from './own-keys';
import { probesFor } from './probes';
import { readQuota } from './quota';
import { validatePair } from './usable';

/** Below this share of room left the operator is told. */
const LITTLE_ROOM = 0.1;

/** Tries every permission that leases need, one call after the other. Makes and changes nothing. */
export async function checkConnection(context: CallContext, signal: AbortSignal): Promise<Check> {
  const { connection } = context;
  const reader = openReader(context, signal);
  await validateKeys(reader);
  const owner = await readOwner(reader);
  const probes = probesFor(connection);
  const missing = new Set<string>();
  const untried = new Set<string>();
  for (const probe of probes) await tryPermission(reader, probe, missing, untried);
  const granted = owner === null ? null : await readPermissions(reader, owner.id);
  if (granted !== null) {
    for (const needed of probes.flatMap(({ permission }) => permission ?? [])) {
      if (!granted.includes(needed)) missing.add(needed);
    }
  }
  const quota = missing.has('api_keys_read') ? null : await readQuota(reader, connection);
  return {
    identity: owner?.name ?? null,
    missingRights: [...missing],
    untriedRights: [...untried].filter((right) => !missing.has(right)),
    quota,
    notes: [
      ...describeOwner(owner),
      ...describeScopes(await isUnscoped(reader, ownKeys(context, 'Check').appKey.slice(-4))),
      ...describeRoom(quota),
      ...(wantsApiKey(connection.keys) && quota === null && !missing.has('api_keys_read')
        ? ['Datadog does not say how many API keys the organization may have.']
        : []),
    ],
  };
}

/** Datadog says the same of a dead key and of a missing permission, so the keys come first. */
async function validateKeys(reader: Reader): Promise<void> {
  try {
    await reader.read(validatePair);
  } catch (error) {
    if (!isDenied(error)) throw error;
    throw restate(
      error,
      'Refused',
      "Datadog does not accept the orchestrator's API key together with its application key. Check that both are alive and " +
        'of this site, and that the owner of the application key is not disabled.',
    );
  }
}

async function tryPermission(
  reader: Reader,
  probe: Call<unknown>,
  missing: Set<string>,
  untried: Set<string>,
): Promise<void> {
  if (probe.permission === null) return;
  try {
    await reader.read(probe);
  } catch (error) {
    if (isNotFound(error)) return;
    if (isDenied(error)) missing.add(probe.permission);
    // The request itself was not to Datadog's liking, which says nothing of permissions.
    else if (error instanceof IntegrationError && error.type === 'InvalidInput') untried.add(probe.permission);
    else throw error;
  }
}

function describeOwner(owner: Owner | null): string[] {
  if (owner === null || owner.isServiceAccount) return [];
  return [
    "The orchestrator's application key belongs to a person. When they leave and are disabled, it is revoked, and no lease " +
      'can end any more: let a service account own it.',
  ];
}

function describeScopes(unscoped: boolean | null): string[] {
  if (unscoped !== true) return [];
  return [
    "The orchestrator's application key has no scopes: it may do all that its owner may. Scopes narrow it down to what " +
      'leases need.',
  ];
}

function describeRoom(quota: Quota | null): string[] {
  if (quota === null || quota.limit - quota.used >= quota.limit * LITTLE_ROOM) return [];
  const left = Math.max(quota.limit - quota.used, 0);
  return [`There is room for ${left} more of at most ${quota.limit} API keys in the Datadog organization.`];
}
