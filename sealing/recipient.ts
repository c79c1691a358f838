import type { webcrypto } from 'node:crypto';
import type { RecipientJwk } from '../workflows/words';
import { SealingError } from './sealing-error';

// jose is loaded at its first use: a command that asks a question and leases nothing does not wait for it.

/** A key pair to which one lease's credential is sealed. The private key cannot be exported. */
export interface RecipientKeyPair {
  readonly publicJwk: RecipientJwk;
  readonly privateKey: webcrypto.CryptoKey;
}

/** Makes a fresh key pair. X25519, unless the platform lacks it and the caller asks for P-256. */
export async function generateRecipient(curve: RecipientJwk['crv'] = 'X25519'): Promise<RecipientKeyPair> {
  const { exportJWK, generateKeyPair } = await import('jose');
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: curve, extractable: false });
  const { kty, crv, x, y } = await exportJWK(publicKey);
  return { publicJwk: checkRecipient({ kty, crv, x, ...(y === undefined ? {} : { y }) }), privateKey };
}

/** The RFC 7638 thumbprint: SHA-256 over the public members, base64url. */
export async function thumbprint(jwk: RecipientJwk): Promise<string> {
  const { calculateJwkThumbprint } = await import('jose');
  return calculateJwkThumbprint(jwk, 'sha256');
}

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  'OKP/X25519': ['kty', 'crv', 'x'],
  'EC/P-256': ['kty', 'crv', 'x', 'y'],
};
const COORDINATE_BYTES = 32;

/**
 * Reads a public key that came from outside: X25519 or P-256 with exactly the public members of RFC 7517.
 * @throws SealingError `InvalidRecipient`; the message names the member, never its value.
 */
export function checkRecipient(value: unknown): RecipientJwk {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('it must be a JWK object.');
  }
  const jwk = value as Readonly<Record<string, unknown>>;
  if ('d' in jwk || 'k' in jwk || 'p' in jwk) {
    throw invalid('it holds a private or secret part. Send the public members only, and use another key pair.');
  }
  const members = MEMBERS[`${text(jwk['kty'])}/${text(jwk['crv'])}`];
  if (members === undefined) {
    throw invalid('it must have kty "OKP" and crv "X25519", or kty "EC" and crv "P-256".');
  }
  if (Object.keys(jwk).some((name) => !members.includes(name))) {
    throw invalid(`it may have only the members ${members.join(', ')}.`);
  }
  const x = coordinate(jwk, 'x');
  if (!members.includes('y')) return { kty: 'OKP', crv: 'X25519', x };
  return { kty: 'EC', crv: 'P-256', x, y: coordinate(jwk, 'y') };
}

function coordinate(jwk: Readonly<Record<string, unknown>>, name: string): string {
  const value = jwk[name];
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'base64url');
    if (bytes.length === COORDINATE_BYTES && bytes.toString('base64url') === value) return value;
  }
  throw invalid(`its member ${name} must be ${COORDINATE_BYTES} bytes in base64url without padding.`);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function invalid(problem: string): SealingError {
  return new SealingError('InvalidRecipient', `The recipient's public key cannot be used: ${problem}`);
}
