import { LEASE_FAILURE_TYPES } from '../../workflows/words';
import { STATES } from '../input';
import { LeaseError } from '../leases';
import type { LeaseErrorCode, LeaseErrorFacts, SeenState, Undelivered } from '../leases';
import { UNPRINTABLE } from '../refusals';
import { errorBody } from '../wire';
import { wireCode } from '../wire-code';

/** What an answer that is no success says. */
export interface Refusal {
  readonly error: LeaseError;
  /** As it was written; null: the answer is not the API's own, but that of something between. */
  readonly code: string | null;
  /** Whether it is certain that nothing was done. */
  readonly untouched: boolean;
}

/** `Aborted` is missing: only the caller aborts, and he knows. */
const KNOWN: readonly LeaseErrorCode[] = [
  ...LEASE_FAILURE_TYPES,
  'LeaseNotFound',
  'Timeout',
  'SealingFailed',
  'Unauthenticated',
  'Forbidden',
];
const CODES: ReadonlyMap<string, LeaseErrorCode> = new Map(KNOWN.map((code) => [wireCode(code), code]));
const UNDELIVERED: readonly Undelivered[] = ['revoke accepted', 'ended', 'nothing started', 'left alone', 'unknown'];
const LONGEST_SENTENCE = 1_000;

/**
 * Reads an answer that is no success.
 * @param facts what is known without it.
 */
export function readRefusal(status: number, body: unknown, url: string, facts: LeaseErrorFacts): Refusal {
  const read = errorBody.safeParse(body);
  if (!read.success) {
    const message = `${url} answered with status ${status} and without a word of the Leasehold API.`;
    return { error: new LeaseError('Unavailable', message, facts), code: null, untouched: false };
  }
  const { code, messages, field, lease_id: leaseId, state, undelivered } = read.data;
  const error = new LeaseError(fromWireCode(code), sentenceOf(messages), {
    ...facts,
    ...(leaseId === undefined ? {} : { leaseId }),
    ...(field === undefined ? {} : { field: camelCase(field) }),
    ...(isOneOf(STATES, state) ? { state } : {}),
    ...(isOneOf(UNDELIVERED, undelivered) ? { undelivered } : {}),
  });
  return { error, code, untouched: status < 500 || code === 'shutting_down' || undelivered === 'nothing started' };
}

/** The code behind its spelling in JSON; one that is not known here is `Unavailable`. */
export function fromWireCode(code: string): LeaseErrorCode {
  return CODES.get(code) ?? 'Unavailable';
}

function sentenceOf(messages: readonly string[]): string {
  const text = messages.join(' ').slice(0, LONGEST_SENTENCE);
  return Array.from(text, (character) => (UNPRINTABLE.test(character) ? '?' : character)).join('');
}

/** `dynamicSecret` of `dynamic_secret`. */
function camelCase(field: string): string {
  return field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function isOneOf<T extends SeenState | Undelivered>(known: readonly T[], text: string | undefined): text is T {
  return known.some((each) => each === text);
}
