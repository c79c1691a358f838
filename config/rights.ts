import { z } from 'zod';

/**
 * What somebody may do. `read`: static secrets and one's own leases. `lease`: issue, and extend one's own. `admin`: everything in
 * its scopes, other holders' leases too.
 */
export const RIGHTS = ['read', 'lease', 'revoke-own', 'admin'] as const;

export type Right = (typeof RIGHTS)[number];

/** Where somebody may act. `*`: in all projects, or in all configs of the project. */
export interface Scope {
  readonly project: string;
  readonly config: string;
}

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const SCOPE = /^(?:\*|[a-z0-9_-]{1,64}\/(?:\*|[a-z0-9_-]{1,64}))$/;

/** Of a token, or of an issuer. */
export const nameSchema = z.string().regex(NAME, 'must be 1 to 63 of a-z 0-9 - and not begin with -');

export const rightsSchema = z.array(z.enum(RIGHTS)).min(1).default(['read', 'lease', 'revoke-own']);

export const scopesSchema = z
  .array(z.string().regex(SCOPE, 'must be project/config, project/* or *'))
  .min(1, 'must name at least one project/config');

/** With what the written ones include. */
export function buildRights(written: readonly Right[]): readonly Right[] {
  return written.includes('admin') ? RIGHTS : written;
}

/** `project/config`, `project/*` or `*`. */
export function readScope(written: string): Scope {
  const [project = '*', config = '*'] = written.split('/');
  return { project, config };
}
