import { LeaseError } from './leases';

/** Characters that make a text read as something else, or that cannot be stored. */
export const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** The refusal of a field. @param problem what follows its name, without a full stop. */
export function invalid(field: string, problem: string): LeaseError {
  return new LeaseError('InvalidInput', `${field} ${problem}.`, { field });
}
