import { decodeJwt, errors, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { nameOf } from '../../client/identity';
import { UNPRINTABLE } from '../../client/refusals';
import type { AccessSettings, IssuerSettings } from '../../config/load';
import type { Logger } from '../../telemetry/logger';
import { refusal } from '../errors';
import { claimAt, findRule } from './claims';
import type { Identity } from './identity';
import { IssuerUnavailable, openIssuerKeys } from './issuer-keys';

/**
 * Who an OIDC token stands for; null if it is of no configured issuer, not valid, or matches no rule.
 * @throws ApiError 502 `unavailable` if the issuer's keys cannot be had.
 */
export type VerifyOidc = (text: string, access: Pick<AccessSettings, 'oidc'>) => Promise<Identity | null>;

/** Asymmetric ones only: the key of a symmetric one would be as public as the issuer's. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const CLOCK_TOLERANCE_S = 30;
/** Kubernetes renews a pod's token once it is a day old, whatever its expiry. */
const MAX_AGE_S = 25 * 3_600;

/** Keys are kept for each issuer, as long as the configuration names it. */
export function createVerifyOidc(logger: Logger): VerifyOidc {
  const keys = new Map<string, JWTVerifyGetKey>();

  const keysOf = (settings: IssuerSettings, { oidc }: Pick<AccessSettings, 'oidc'>): JWTVerifyGetKey => {
    const id = idOf(settings);
    const known = keys.get(id);
    if (known !== undefined) return known;
    const configured = new Set(Object.values(oidc).map(idOf));
    for (const other of keys.keys()) if (!configured.has(other)) keys.delete(other);
    const opened = openIssuerKeys(settings);
    keys.set(id, opened);
    return opened;
  };

  return async (text, access) => {
    const issuer = issuerOf(text);
    const [alias, settings] = Object.entries(access.oidc).find(([, entry]) => entry.issuer === issuer) ?? [];
    if (alias === undefined || settings === undefined) return null;
    const refuse = (reason: string, facts: Readonly<Record<string, unknown>> = {}): null => {
      logger.debug({ issuer: alias, reason, ...facts }, 'A token of an OIDC issuer was refused.');
      return null;
    };
    try {
      const { payload } = await jwtVerify(text, keysOf(settings, access), {
        algorithms: ALGORITHMS,
        issuer: settings.issuer,
        audience: [...settings.audiences],
        requiredClaims: ['exp'],
        clockTolerance: CLOCK_TOLERANCE_S,
        maxTokenAge: MAX_AGE_S,
      });
      const rule = findRule(payload, settings.rules);
      if (rule === undefined) return refuse('It matches no rule.', { sub: payload.sub });
      const subject = claimAt(payload, rule.subject);
      if (typeof subject !== 'string' || subject.trim() === '' || UNPRINTABLE.test(subject)) {
        return refuse(`Its claim ${rule.subject.join('/')} names nobody.`, { sub: payload.sub });
      }
      return {
        tokenId: `oidc/${alias}`,
        holder: nameOf(alias, subject),
        rights: new Set(rule.rights),
        scopes: rule.scopes,
        expiresAt: endOf(payload),
        secret: null,
      };
    } catch (error) {
      if (error instanceof IssuerUnavailable) {
        logger.warn({ issuer: alias, reason: error.message }, "An OIDC issuer's keys cannot be had.");
        throw refusal(502, 'unavailable', `The keys of the OIDC issuer ${alias} cannot be fetched. Try again.`);
      }
      return refuse(error instanceof errors.JOSEError ? `${error.code}: ${error.message}` : 'Its key cannot be used.');
    }
  };
}

/** Who claims to have issued a text, without a look at whether it is so. */
function issuerOf(text: string): string | undefined {
  try {
    return decodeJwt(text).iss;
  } catch {
    return undefined;
  }
}

/** When it is honoured no more. */
function endOf({ exp = 0, iat = 0 }: JWTPayload): Date {
  return new Date(Math.min(exp, iat + MAX_AGE_S) * 1_000);
}

function idOf({ issuer, jwksUri }: IssuerSettings): string {
  return JSON.stringify([issuer, jwksUri]);
}
