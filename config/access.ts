import { z } from 'zod';

/** `read`: static secrets and one's own leases. `admin`: everything in its scopes, other holders' leases too. */
export const RIGHTS = ['read', 'lease', 'revoke-own', 'admin'] as const;

export type Right = (typeof RIGHTS)[number];

/** Where somebody may act. `*`: in all projects, or in all configs of the project. */
export interface Scope {
  readonly project: string;
  readonly config: string;
}

/** Who may use the HTTP API. */
export interface AccessSettings {
  readonly tokens: Readonly<Record<string, TokenSettings>>;
}

export interface TokenSettings {
  /** SHA-256 of the token, in hex. A token has 256 random bits, so that a quick hash tells nothing of it. */
  readonly sha256: string;
  /** The holder of its leases is `token:<subject>`. Default: the token's name. */
  readonly subject: string;
  readonly rights: readonly Right[];
  readonly scopes: readonly Scope[];
  /** Null: it does not expire. */
  readonly expiresAt: Date | null;
}

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const SCOPE = /^(?:\*|[a-z0-9_-]{1,64}\/(?:\*|[a-z0-9_-]{1,64}))$/;

export const nameSchema = z.string().regex(NAME, 'must be 1 to 63 of a-z 0-9 - and not begin with -');

export const rightsSchema = z.array(z.enum(RIGHTS)).min(1).default(['read', 'lease', 'revoke-own']);

export const scopesSchema = z
  .array(z.string().regex(SCOPE, 'must be project/config, project/* or *'))
  .min(1, 'must name at least one project/config');

const token = z.strictObject({
  hash: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits, as "leasehold token create" prints it'),
  subject: z
    .string()
    .regex(/^[\x21-\x7e]{1,150}$/, 'must be 1 to 150 printable characters without spaces')
    .optional(),
  rights: rightsSchema,
  scopes: scopesSchema,
  expires_at: z.iso.datetime({ offset: true, error: 'must be an instant such as 2027-01-31T00:00:00Z' }).optional(),
});

export const accessSchema = z.strictObject({
  tokens: z.preprocess((value) => value ?? {}, z.record(nameSchema, token)),
});

export function buildAccess({ tokens }: z.output<typeof accessSchema>): AccessSettings {
  const built = Object.create(null) as Record<string, TokenSettings>;
  for (const [name, { hash, subject, rights, scopes, expires_at: expiry }] of Object.entries(tokens)) {
    built[name] = {
      sha256: hash.slice('sha256:'.length),
      subject: subject ?? name,
      rights,
      scopes: scopes.map(readScope),
      expiresAt: expiry === undefined ? null : new Date(expiry),
    };
  }
  return { tokens: built };
}

/** `project/config`, `project/*` or `*`. */
export function readScope(written: string): Scope {
  const [project = '*', config = '*'] = written.split('/');
  return { project, config };
}
