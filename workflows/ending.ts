/** Who asked for an end, and why. */
export interface Ending {
  readonly by: string;
  readonly reason: string | null;
}

const MAX_LENGTH = 200;

/**
 * Reads the argument of `revoke` or `abandon`. People send these by hand: whatever comes, or nothing, is a valid request.
 * A bare string is taken for the reason.
 */
export function readEnding(argument: unknown): Ending {
  if (typeof argument === 'string') return { by: 'unknown', reason: readText(argument) };
  if (typeof argument !== 'object' || argument === null) return { by: 'unknown', reason: null };
  const fields = argument as Readonly<Record<string, unknown>>;
  return { by: readText(fields['by']) ?? 'unknown', reason: readText(fields['reason']) };
}

/** What a client may ask a revoke to depend on; anything odd is no condition, since a revoke must not get lost. */
export function readCondition(argument: unknown): { readonly issuedTo: string | null; readonly undelivered: boolean } {
  const fields = (typeof argument === 'object' && argument !== null ? argument : {}) as Readonly<
    Record<string, unknown>
  >;
  const issuedTo = fields['ifIssuedTo'];
  return { issuedTo: typeof issuedTo === 'string' ? issuedTo : null, undelivered: fields['ifUndelivered'] === true };
}

function readText(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const text = value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ').trim();
  return text === '' ? null : Array.from(text).slice(0, MAX_LENGTH).join('');
}
