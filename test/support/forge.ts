import { CompactEncrypt, importJWK } from 'jose';
import type { RecipientJwk } from '../../workflows/words';

/** What anybody can seal to a public key, past all that `seal` looks at. @param change of its header. */
export async function forge(to: RecipientJwk, leaseId: string, text: string, change: object = {}): Promise<string> {
  const header = { alg: 'ECDH-ES', enc: 'A256GCM', typ: 'leasehold-credential', lease: leaseId, crit: ['lease'] };
  return new CompactEncrypt(Buffer.from(text))
    .setProtectedHeader({ ...header, ...change })
    .encrypt(await importJWK({ ...to }, 'ECDH-ES'), { crit: { lease: true } });
}
