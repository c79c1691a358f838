import { generateRecipient } from '../sealing/recipient';
import type { RecipientKeyPair } from '../sealing/recipient';

/** A key pair for one call. A platform in FIPS mode has no X25519. */
export async function makePair(): Promise<RecipientKeyPair> {
  try {
    return await generateRecipient();
  } catch {
    return generateRecipient('P-256');
  }
}
