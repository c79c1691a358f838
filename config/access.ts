import { z } from 'zod';
import { buildIssuer, issuerSchema } from './oidc';
import type { IssuerSettings } from './oidc';
import { mapNames } from './records';
import { buildRights, nameSchema, readScope, rightsSchema, scopesSchema } from './rights';
import type { Right, Scope } from './rights';

/** Who may use the HTTP API. Records by name have no prototype. */
export interface AccessSettings {
  readonly tokens: Readonly<Record<string, TokenSettings>>;
  /** By the alias that stands in the holders' names. */
  readonly oidc: Readonly<Record<string, IssuerSettings>>;
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

/** What vouches for holders by itself, so that no issuer may be called so. */
const RESERVED = ['library', 'token'];

/** The entry of a token, as "leasehold token create" prints it. */
export const tokenSchema = z.strictObject({
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

const alias = nameSchema.refine((name) => !RESERVED.includes(name), `cannot be ${RESERVED.join(' or ')}`);

export const accessSchema = z.strictObject({
  tokens: z.preprocess((value) => value ?? {}, z.record(nameSchema, tokenSchema)),
  oidc: z.preprocess((value) => value ?? {}, z.record(alias, issuerSchema)),
});

export function buildAccess({ tokens, oidc }: z.output<typeof accessSchema>): AccessSettings {
  return { tokens: mapNames(tokens, buildToken), oidc: mapNames(oidc, buildIssuer) };
}

function buildToken(
  { hash, subject, rights, scopes, expires_at: expiry }: z.output<typeof tokenSchema>,
  name: string,
): TokenSettings {
  return {
    sha256: hash.slice('sha256:'.length),
    subject: subject ?? name,
    rights: buildRights(rights),
    scopes: scopes.map(readScope),
    expiresAt: expiry === undefined ? null : new Date(expiry),
  };
}
