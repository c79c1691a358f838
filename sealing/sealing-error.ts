/**
 * `InvalidRecipient`: the key is no public X25519 or P-256 key. `InvalidCredential`: not a map of names of variables to strings.
 * `WrongLease`: sealed for another lease. `NotOpened`: another key, altered, or not what `seal` makes.
 */
export type SealingErrorCode = 'InvalidRecipient' | 'InvalidCredential' | 'WrongLease' | 'NotOpened';

/** Sealing or opening failed. The message never repeats a key or a part of a credential, and there is no cause. */
export class SealingError extends Error {
  override readonly name = 'SealingError';

  constructor(
    readonly code: SealingErrorCode,
    message: string,
  ) {
    super(message);
  }
}
