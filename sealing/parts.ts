import { createHash } from 'node:crypto';

/** SHA-256 of a list of texts. @param label says what it is for: the same parts under another label give another digest. */
export function digestOf(label: string, parts: readonly string[]): Buffer {
  const hash = createHash('sha256').update(`${label}\n`);
  for (const part of parts) {
    // The length goes first, so that no two different lists of parts read the same.
    hash.update(`${Buffer.byteLength(part)}:`).update(part);
  }
  return hash.digest();
}
