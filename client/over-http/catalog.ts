import type { z } from 'zod';
import { quote } from '../../workflows/quote';
import { NAME_PATTERN } from '../../workflows/words';
import { boundsOf } from '../bounds';
import { LeaseError } from '../leases';
import { dynamicSecretsBody, secretsBody, whoamiBody } from '../wire';
import { CALL_TIMEOUT_MS, toLeaseError } from './calls';
import { ask } from './remote';
import type { Remote } from './remote';

/** What can be leased, as far as the token reaches. */
export interface OfferedSecret {
  readonly project: string;
  readonly config: string;
  readonly dynamicSecret: string;
  /** The names in each of its credentials. */
  readonly fields: readonly string[];
  /** Under which they are handed out among other secrets, the lease's id and end with them. */
  readonly flatNames: readonly string[];
  readonly defaultTtlMs: number;
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
}

/** Static secrets of one config. */
export interface StaticSecrets {
  readonly project: string;
  readonly config: string;
  /** By name. */
  readonly values: Readonly<Record<string, string>>;
}

/** Whom the token stands for. */
export interface Whoami {
  readonly tokenId: string;
  readonly holder: string;
  /** `read`, `lease`, `revoke-own`, `admin`. */
  readonly rights: readonly string[];
  /** `project/config`, `project/*` or `*`. */
  readonly scopes: readonly string[];
  /** Null: it does not expire. */
  readonly expiresAt: Date | null;
}

/** See `HttpLeases.offered`. */
export async function offeredOverHttp(
  remote: Remote,
  project: string,
  config: string,
): Promise<readonly OfferedSecret[]> {
  const query = new URLSearchParams({ project, config }).toString();
  const answer = await readOverHttp(remote, `/v1/dynamic-secrets?${query}`, dynamicSecretsBody);
  const names = answer.dynamic_secrets.flatMap((each) => [each.name, ...each.fields, ...each.flat_names]);
  requireNames(remote, names);
  return answer.dynamic_secrets.map((each) => ({
    project: each.project,
    config: each.config,
    dynamicSecret: each.name,
    fields: each.fields,
    flatNames: each.flat_names,
    defaultTtlMs: each.default_ttl_seconds * 1_000,
    minTtlMs: each.min_ttl_seconds * 1_000,
    maxTtlMs: each.max_ttl_seconds * 1_000,
  }));
}

/** See `HttpLeases.secrets`. */
export async function secretsOverHttp(remote: Remote, project = '', config = ''): Promise<StaticSecrets> {
  const query = new URLSearchParams(Object.entries({ project, config }).filter(([, name]) => name !== ''));
  const { secrets: values, ...place } = await readOverHttp(remote, `/v1/secrets?${query.toString()}`, secretsBody);
  requireNames(remote, Object.keys(values));
  return { ...place, values };
}

/** What is called otherwise comes from no configuration of Leasehold. @throws LeaseError */
function requireNames({ url }: Remote, names: readonly string[]): void {
  const odd = names.find((name) => !NAME_PATTERN.test(name));
  if (odd === undefined) return;
  throw new LeaseError(
    'Unavailable',
    `${url} has secrets with the name ${quote(odd)}, which none can have: nothing of its answer is used.`,
  );
}

/** See `HttpLeases.whoami`. */
export async function whoamiOverHttp(remote: Remote): Promise<Whoami> {
  const { token_id: tokenId, expires_at: end, ...rest } = await readOverHttp(remote, '/v1/whoami', whoamiBody);
  return { tokenId, ...rest, expiresAt: end === null ? null : new Date(end) };
}

/** What can be asked again and again. */
export async function readOverHttp<T>(remote: Remote, path: string, answer: z.ZodType<T>): Promise<T> {
  try {
    return await ask(remote, boundsOf(CALL_TIMEOUT_MS), { method: 'GET', path, harmless: true }, answer);
  } catch (error) {
    throw toLeaseError(error);
  }
}
