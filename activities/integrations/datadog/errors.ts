import type { ProviderErrorType } from '../../../workflows/contract';
import { IntegrationError } from '../integration';
import type { ErrorFacts } from '../integration';
import type { Answer } from './exchange';
import { isUuid } from './uuid';

/** What a call is about, in our own words. */
export interface Subject {
  /** By the name of Datadog's own clients, e.g. `CreateAPIKey`. */
  readonly operation: string;
  /** Name of the permission that it needs; null: none. */
  readonly permission: string | null;
  /** The service account that it is about; null: none. */
  readonly owner: string | null;
  readonly entity?: string;
}

/** Statuses by which Datadog refuses what it understood. */
const REFUSALS: readonly number[] = [400, 403, 409, 422];

const MAX_RETRY_AFTER_MS = 5 * 60_000;

/**
 * What an answer other than success means. Of its words only a few that tell causes apart are looked for, and none is
 * repeated: Datadog may echo what it was sent.
 */
export function describeAnswer(answer: Answer, subject: Subject): IntegrationError {
  const words = readWords(answer.text);
  const { type, hint } = classify(answer.status, words, subject);
  const retryAfterMs = type === 'Throttled' ? readReset(answer) : undefined;
  const requestId = readRequestId(answer);
  return new IntegrationError(type, {
    ...name(subject),
    httpStatus: answer.status,
    ...(requestId === undefined ? {} : { requestId }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** A call without a usable answer: whether it was done is not known. */
export function unanswered(subject: Subject): IntegrationError {
  return new IntegrationError('Unavailable', {
    ...name(subject),
    hint: 'Check the network, the site and the endpoint if it lasts.',
  });
}

/** A successful answer that is not what Datadog documents. */
export function unreadable(subject: Pick<Subject, 'operation' | 'entity'>): IntegrationError {
  return new IntegrationError('Unavailable', {
    ...name(subject),
    hint: 'The answer was not understood. Check the endpoint if it lasts.',
  });
}

/** Datadog said that the thing is not there. */
export function isNotFound(error: unknown): error is IntegrationError {
  return error instanceof IntegrationError && error.type === 'NotFound';
}

/** Datadog refused the call for want of a permission, or because of the orchestrator's own keys: it says the same of both. */
export function isDenied(error: unknown): error is IntegrationError {
  return error instanceof IntegrationError && error.type === 'Refused' && isStatus(error, 401, 403);
}

/** Datadog itself answered that it did not do what was asked. */
export function isDefiniteRefusal({ type, facts }: IntegrationError): boolean {
  if (facts.httpStatus === undefined || facts.httpStatus >= 500) return false;
  return type !== 'Unavailable';
}

interface Meaning {
  readonly type: ProviderErrorType;
  readonly hint?: string;
}

function classify(status: number, words: string | null, { operation, permission, owner, entity }: Subject): Meaning {
  if (status === 429) return { type: 'Throttled' };
  // Not worded as Datadog words its errors: a proxy's 403 or a wrong endpoint's 404 says nothing about keys.
  if (words === null || status >= 500) {
    return { type: 'Unavailable', hint: 'Check the network, the site and the endpoint if it lasts.' };
  }
  if (operation.startsWith('Create') && REFUSALS.includes(status)) {
    // Without the name that was asked for, whose prefix may be any word.
    const meaning = explainCreation(entity === undefined ? words : words.replaceAll(entity, ''), owner);
    if (meaning !== undefined) return meaning;
  }
  switch (status) {
    case 401:
      return {
        type: 'Refused',
        hint: "Check the orchestrator's API key and application key, and that they are of this site.",
      };
    case 403:
      return { type: 'Refused', hint: explainDenial(permission) };
    case 404:
      return owner === null ? { type: 'NotFound' } : { type: 'NotFound', hint: explainUnknown(owner) };
    case 400:
    case 422:
      return { type: 'InvalidInput', hint: "Check the dynamic secret's parameters, above all its scopes." };
    default:
      return { type: 'Unavailable' };
  }
}

function explainCreation(words: string, owner: string | null): Meaning | undefined {
  // Whole words, since names of scopes may hold them.
  if (/\b(?:max|maximum|limits?|quotas?|too many)\b/i.test(words)) {
    return { type: 'QuotaExceeded', hint: 'Delete keys that nobody uses, or ask Datadog to raise the limit.' };
  }
  if (/\b(?:already|exists|duplicate|unique)\b/i.test(words)) {
    return {
      type: 'Unavailable',
      hint: 'Datadog says that a key of this name exists already, though its list does not show it yet.',
    };
  }
  if (owner !== null && /\b(?:disabled|deactivated)\b/i.test(words)) {
    const hint = `The service account ${owner} is disabled in Datadog: enable it, or name another one.`;
    return { type: 'Refused', hint };
  }
  return undefined;
}

function explainUnknown(owner: string): string {
  return `Datadog knows no service account ${owner}: it was deleted, or it is of another organization or site.`;
}

function explainDenial(permission: string | null): string {
  const keys = "check that the orchestrator's keys are alive and of this site";
  if (permission === null) return `It needs no permission: ${keys}.`;
  return (
    `Grant the permission ${permission} to the owner of the orchestrator's application key, and name it among that key's ` +
    `scopes if it has any; else ${keys}.`
  );
}

/** All that is said in an error's body, if it is built like one of Datadog's; else null. */
function readWords(text: string): string | null {
  try {
    const body: unknown = JSON.parse(text);
    const errors = typeof body === 'object' && body !== null && 'errors' in body ? body.errors : undefined;
    return Array.isArray(errors) ? JSON.stringify(errors) : null;
  } catch {
    return null;
  }
}

/** Seconds until the limit begins anew, as Datadog counts them. */
function readReset({ headers }: Answer): number | undefined {
  const said = [headers['x-ratelimit-reset'], headers['retry-after']];
  // Not 0: whoever is told "at once" for ever would ask for ever, without backing off.
  const seconds = said.find((text) => text !== undefined && /^[1-9]\d{0,8}$/.test(text));
  return seconds === undefined ? undefined : Math.min(Number(seconds) * 1_000, MAX_RETRY_AFTER_MS);
}

/** Only what looks like one: a key pasted in its place would not pass. */
function readRequestId({ headers }: Answer): string | undefined {
  const id = headers['dd-request-id'] ?? headers['x-request-id'];
  return id !== undefined && isUuid(id) ? id : undefined;
}

function name({ operation, entity }: Pick<Subject, 'operation' | 'entity'>): Pick<ErrorFacts, 'operation' | 'entity'> {
  return { operation, ...(entity === undefined ? {} : { entity }) };
}

function isStatus({ facts }: IntegrationError, ...statuses: readonly number[]): boolean {
  return facts.httpStatus !== undefined && statuses.includes(facts.httpStatus);
}
