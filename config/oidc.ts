import { z } from 'zod';
import { isOwnParameter, OWN_PARAMETERS } from './own-parameters';
import { buildRights, readScope, rightsSchema, scopesSchema } from './rights';
import type { Right, Scope } from './rights';
import { isLocal } from './this-machine';

/** An issuer of OIDC tokens, and whom of those that it vouches for we know. */
export interface IssuerSettings {
  /** Exactly as it stands in the tokens' `iss`. */
  readonly issuer: string;
  /** A token must be meant for one of them. */
  readonly audiences: readonly string[];
  /** Where its keys are; null: where its discovery document says. */
  readonly jwksUri: string | null;
  /** The first that matches decides. */
  readonly rules: readonly RuleSettings[];
  /** How people sign in there from a command line; null: not at all. */
  readonly deviceLogin: DeviceLoginSettings | null;
}

/** A device authorization (RFC 8628). Everybody may read it: it holds no secret. */
export interface DeviceLoginSettings {
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Which of the issuer's tokens is sent to us. */
  readonly token: 'id_token' | 'access_token';
  /** What the issuer is told beside them, e.g. an `audience`. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface RuleSettings {
  /** All of them must match. */
  readonly claims: readonly ClaimSettings[];
  /** Path of the claim that names the holder: it is `<alias>:<claim>`. */
  readonly subject: readonly string[];
  readonly rights: readonly Right[];
  readonly scopes: readonly Scope[];
}

export interface ClaimSettings {
  /** Names from the outermost claim inwards. */
  readonly path: readonly string[];
  /** One of them must match. In a text, `*` stands for any characters but `/` and `:`, and for at least one. */
  readonly values: readonly ClaimValue[];
}

export type ClaimValue = string | number | boolean;

/** What tokens of every holder have, or each token differently: it tells nothing of who asks. */
const TELLING_NOTHING = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti'];
const POINTER = /^(?:\/(?:[^~/]|~[01])+)+$/;
const PRINTABLE = /^[^\p{Cc}\p{Cs}]{1,500}$/u;

const claim = z
  .string()
  .refine(
    (written) => PRINTABLE.test(written) && (!written.startsWith('/') || POINTER.test(written)),
    'must be the name of a claim, or /outer/inner with ~1 for / and ~0 for ~ inside a name',
  )
  .refine(
    (written) => !TELLING_NOTHING.includes(readPath(written)[0] ?? ''),
    `cannot be ${TELLING_NOTHING.join(', ')}, which tell nothing of who asks`,
  );

const claimValue = z.union(
  [
    z
      .string()
      .regex(PRINTABLE, 'must be 1 to 500 characters')
      .refine((text) => !text.includes('**'), 'must not have ** in it: one * stands for any number of characters'),
    z.number(),
    z.boolean(),
  ],
  'must be text, a number, true or false, or a list of such',
);

const rule = z
  .strictObject({
    claims: z.record(claim, z.union([claimValue, z.array(claimValue).min(1).max(100)])),
    subject: claim.default('sub'),
    rights: rightsSchema,
    scopes: scopesSchema,
  })
  .refine(({ claims }) => Object.values(claims).some((values) => listOf(values).every(tellsSomething)), {
    path: ['claims'],
    error:
      'must have one claim that tells who may come in, by more than * or true: an issuer may vouch for the whole world',
  });

const deviceLogin = z
  .strictObject({
    client_id: z.string().regex(/^[\x21-\x7e]{1,500}$/, 'must be 1 to 500 printable characters without spaces'),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'must be a scope, without spaces and quotes'))
      .max(50)
      .default(['openid', 'offline_access']),
    token: z.enum(['id_token', 'access_token']).default('id_token'),
    parameters: z
      .record(
        z
          .string()
          .regex(/^[A-Za-z0-9_.-]{1,100}$/, 'must be the name of a parameter')
          .refine((name) => !isOwnParameter(name), `cannot be ${OWN_PARAMETERS.join(', ')}`),
        z.string().regex(PRINTABLE, 'must be 1 to 500 characters'),
      )
      .default({}),
  })
  .refine(({ scopes, token }) => token !== 'id_token' || scopes.includes('openid'), {
    path: ['scopes'],
    error: 'must have openid among them: without it the issuer gives no ID token',
  });

export const issuerSchema = z
  .strictObject({
    issuer: z
      .string()
      .refine(isIssuerUrl, 'must be an https:// URL, or http:// to this machine, without user, query and fragment'),
    audience: z.union([audience(), z.array(audience()).min(1).max(20)]),
    jwks_uri: z
      .string()
      .refine(isKeysUrl, 'must be an https:// URL, or http:// to this machine, without user')
      .optional(),
    rules: z.array(rule).min(1).max(1_000),
    device_login: deviceLogin.optional(),
  })
  .refine(
    ({ audience, device_login: login }) => login?.token !== 'id_token' || listOf(audience).includes(login.client_id),
    { path: ['audience'], error: 'must have the client_id of device_login among them: ID tokens are meant for it' },
  );

/** Whether keys may be fetched from there: nobody on the way may put in others. */
export function isKeysUrl(text: string): boolean {
  if (text.length > 2_000 || !/^https?:\/\/[^\s\\\p{Cc}]+$/u.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password, hostname } = new URL(text);
  return username === '' && password === '' && (protocol === 'https:' || isLocal(hostname));
}

export function buildIssuer({
  issuer,
  audience,
  jwks_uri,
  rules,
  device_login: login,
}: z.output<typeof issuerSchema>): IssuerSettings {
  return {
    issuer,
    audiences: listOf(audience),
    jwksUri: jwks_uri ?? null,
    rules: rules.map(({ claims, subject, rights, scopes }) => ({
      claims: Object.entries(claims).map(([written, values]) => ({ path: readPath(written), values: listOf(values) })),
      subject: readPath(subject),
      rights: buildRights(rights),
      scopes: scopes.map(readScope),
    })),
    deviceLogin:
      login === undefined
        ? null
        : { clientId: login.client_id, scopes: login.scopes, token: login.token, parameters: login.parameters },
  };
}

function audience() {
  return z.string().regex(PRINTABLE, 'must be 1 to 500 characters');
}

function isIssuerUrl(text: string): boolean {
  return isKeysUrl(text) && !/[?#]/.test(text);
}

/** The name of a claim, whatever characters it has, or the JSON Pointer to one inside another. */
function readPath(written: string): readonly string[] {
  if (!written.startsWith('/')) return [written];
  return written
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function tellsSomething(value: ClaimValue): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /[^*/:]/.test(value));
}

function listOf<T>(value: T | T[]): readonly T[] {
  return Array.isArray(value) ? value : [value];
}
