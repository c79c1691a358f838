import type { webcrypto } from 'node:crypto';
import type { CompactDecryptResult } from 'jose';
import { NAME_PATTERN } from '../workflows/words';
import type { RecipientJwk } from '../workflows/words';
import { checkRecipient } from './recipient';
import { SealingError } from './sealing-error';

const ALG = 'ECDH-ES';
const ENC = 'A256GCM';
/** Says in the authenticated header that this is a sealed credential and nothing else. */
const TYP = 'leasehold-credential';
/** Marked critical: an opener that does not know `lease` must refuse instead of ignoring it. */
const CRITICAL = { lease: true };
/** Far above any credential, far below what Temporal stores in one payload. */
const MAX_PLAINTEXT_BYTES = 64 * 1024;
const NAMES = 'names of A-Z, 0-9 and _ that begin with a letter';

/**
 * Seals a credential so that only the recipient's private key opens it, bound to the lease.
 * @returns a compact JWE (ECDH-ES, A256GCM) whose authenticated header names the lease.
 * @throws SealingError `InvalidRecipient` or `InvalidCredential`.
 */
export async function seal(
  credential: Readonly<Record<string, string>>,
  recipient: RecipientJwk,
  leaseId: string,
): Promise<string> {
  const plaintext = encode(credential);
  const jwk = checkRecipient(recipient);
  try {
    const { CompactEncrypt, importJWK } = await import('jose');
    const key = await importJWK({ ...jwk }, ALG);
    return await new CompactEncrypt(plaintext)
      .setProtectedHeader({ alg: ALG, enc: ENC, typ: TYP, lease: leaseId, crit: Object.keys(CRITICAL) })
      .encrypt(key, { crit: CRITICAL });
  } catch {
    throw new SealingError(
      'InvalidRecipient',
      "The recipient's public key cannot be used: it is no valid point of its curve.",
    );
  }
}

/**
 * Opens what `seal` made, and only for the lease it was sealed for. Everybody can seal to a public key: what is no credential is refused.
 * @throws SealingError `NotOpened` or `WrongLease`; nothing of the content is ever in the message.
 */
export async function open(
  sealed: string,
  privateKey: webcrypto.CryptoKey,
  leaseId: string,
): Promise<Record<string, string>> {
  const { plaintext, protectedHeader } = await decrypt(sealed, privateKey);
  if (protectedHeader.typ !== TYP) throw notOpened();
  if (protectedHeader['lease'] !== leaseId) {
    throw new SealingError('WrongLease', `What was sealed for another lease was handed over as lease ${leaseId}.`);
  }
  return decode(plaintext);
}

function encode(credential: Readonly<Record<string, string>>): Uint8Array {
  const entries: [string, unknown][] = Object.entries(credential);
  if (entries.length === 0 || entries.some(([, value]) => typeof value !== 'string')) {
    throw new SealingError('InvalidCredential', 'A credential must map at least one name to a string.');
  }
  if (!entries.every(([name]) => NAME_PATTERN.test(name))) {
    throw new SealingError('InvalidCredential', `A credential has ${NAMES}.`);
  }
  const plaintext = new TextEncoder().encode(JSON.stringify(credential));
  if (plaintext.length > MAX_PLAINTEXT_BYTES) {
    throw new SealingError('InvalidCredential', `A credential may have at most ${MAX_PLAINTEXT_BYTES} bytes.`);
  }
  return plaintext;
}

async function decrypt(sealed: string, privateKey: webcrypto.CryptoKey): Promise<CompactDecryptResult> {
  if (typeof sealed !== 'string' || sealed.length > 2 * MAX_PLAINTEXT_BYTES || !isCanonical(sealed)) throw notOpened();
  try {
    const { compactDecrypt } = await import('jose');
    return await compactDecrypt(sealed, privateKey, {
      crit: CRITICAL,
      keyManagementAlgorithms: [ALG],
      contentEncryptionAlgorithms: [ENC],
    });
  } catch {
    throw notOpened();
  }
}

/** Base64url leaves bits unused at the end of a part; one content has one spelling here. */
function isCanonical(sealed: string): boolean {
  return sealed.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}

function decode(plaintext: Uint8Array): Record<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext));
  } catch {
    throw notOpened();
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notOpened();
  const entries = Object.entries(value).map(([name, each]: [string, unknown]): [string, string] => {
    if (typeof each !== 'string') throw notOpened();
    if (!NAME_PATTERN.test(name)) {
      throw new SealingError('NotOpened', `What was sealed is no credential, which has ${NAMES}.`);
    }
    return [name, each];
  });
  return Object.fromEntries(entries);
}

function notOpened(): SealingError {
  return new SealingError(
    'NotOpened',
    'The sealed credential cannot be opened: another key sealed it, or it was altered.',
  );
}
