import { createECDH, createPrivateKey, createPublicKey, hkdfSync, webcrypto } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { RecipientJwk } from '../workflows/contract';
import { digestOf } from './parts';
import { checkRecipient } from './recipient';
import type { RecipientKeyPair } from './recipient';

const LABEL = 'leasehold recipient 1';
/** PKCS #8 of an X25519 key up to its 32 bytes (RFC 8410). */
const X25519_PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SCALAR_BYTES = 32;
/** 128 bits more than the order has, so that what is left of them is as good as evenly spread. */
const WIDE_BYTES = 48;
const P256_ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

/**
 * The key pair of a secret and of what it is for: the same for the same secret and purpose, in every process, and of no use for
 * finding out the secret or the pair of any other purpose. The private key cannot be exported.
 * @param curve absent: X25519, or P-256 on a platform that lacks it (FIPS), which then makes other pairs than the rest.
 */
export async function deriveRecipient(
  secret: KeyObject,
  purpose: readonly string[],
  curve?: RecipientJwk['crv'],
): Promise<RecipientKeyPair> {
  if (curve === 'P-256') return deriveP256(secret, purpose);
  if (curve === 'X25519') return deriveX25519(secret, purpose);
  try {
    return await deriveX25519(secret, purpose);
  } catch {
    return deriveP256(secret, purpose);
  }
}

async function deriveX25519(secret: KeyObject, purpose: readonly string[]): Promise<RecipientKeyPair> {
  const scalar = expand(secret, 'X25519', purpose, SCALAR_BYTES);
  const pkcs8 = Buffer.concat([X25519_PKCS8, scalar]);
  try {
    const jwk = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })).export({
      format: 'jwk',
    });
    return {
      publicJwk: checkRecipient(jwk),
      privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, { name: 'X25519' }, false, ['deriveBits']),
    };
  } finally {
    scalar.fill(0);
    pkcs8.fill(0);
  }
}

async function deriveP256(secret: KeyObject, purpose: readonly string[]): Promise<RecipientKeyPair> {
  const wide = expand(secret, 'P-256', purpose, WIDE_BYTES);
  const scalar = Buffer.from(
    ((BigInt(`0x${wide.toString('hex')}`) % (P256_ORDER - 1n)) + 1n).toString(16).padStart(2 * SCALAR_BYTES, '0'),
    'hex',
  );
  try {
    const pair = createECDH('prime256v1');
    pair.setPrivateKey(scalar);
    const point = pair.getPublicKey();
    const publicJwk = checkRecipient({
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 1 + SCALAR_BYTES).toString('base64url'),
      y: point.subarray(1 + SCALAR_BYTES).toString('base64url'),
    });
    const jwk = { ...publicJwk, d: scalar.toString('base64url') };
    const algorithm = { name: 'ECDH', namedCurve: 'P-256' };
    return {
      publicJwk,
      privateKey: await webcrypto.subtle.importKey('jwk', jwk, algorithm, false, ['deriveBits']),
    };
  } finally {
    wide.fill(0);
    scalar.fill(0);
  }
}

function expand(secret: KeyObject, curve: RecipientJwk['crv'], purpose: readonly string[], bytes: number): Buffer {
  // Hashed first: the info of HKDF is limited in length, and the purpose holds text from outside.
  const info = digestOf(`${LABEL} ${curve}`, purpose);
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), info, bytes));
}
