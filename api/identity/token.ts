import { createHash, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AccessSettings } from '../../config/load';
import { nameOf } from '../../client/identity';
import { encodeBase32 } from '../../temporal/base32';
import type { Identity } from './identity';

const WRITTEN = /^lht\.([a-z0-9][a-z0-9-]{0,62})\.([a-z2-7]{52})$/;
const SECRET_BYTES = 32;
/** Compared with where there is no token of that name, so that the answer takes as long. */
const NOBODY = Buffer.alloc(32);

/** A fresh token of this name, 256 random bits, and what the configuration keeps of it. */
export function makeToken(name: string): { readonly token: string; readonly hash: string } {
  const token = `lht.${name}.${encodeBase32(randomBytes(SECRET_BYTES))}`;
  return { token, hash: `sha256:${hashOf(token).toString('hex')}` };
}

/** Whether a text is written as a token of ours, valid or not. */
export function isToken(text: string): boolean {
  return text.startsWith('lht.');
}

/** Who a token stands for; null if it is none that the configuration has, or has expired. */
export function verifyToken(text: string, { tokens }: AccessSettings, now = new Date()): Identity | null {
  const name = WRITTEN.exec(text)?.[1];
  const settings = name !== undefined && Object.hasOwn(tokens, name) ? tokens[name] : undefined;
  const known = settings === undefined ? NOBODY : Buffer.from(settings.sha256, 'hex');
  const isRight = timingSafeEqual(hashOf(text), known);
  if (!isRight || settings === undefined || name === undefined) return null;
  if (settings.expiresAt !== null && settings.expiresAt <= now) return null;
  return {
    tokenId: `token/${name}`,
    holder: nameOf('token', settings.subject),
    rights: new Set(settings.rights),
    scopes: settings.scopes,
    expiresAt: settings.expiresAt,
    secret: createSecretKey(Buffer.from(text)),
  };
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
