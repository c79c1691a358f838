import { ApplicationFailure } from '@temporalio/common';
import { isHopeless } from '../workflows/contract';
import type { LeaseFailureType, ProvisionFailureDetail } from '../workflows/contract';
import { explainFailure, grpcStatusOf } from '../temporal/service';
import { AttemptStopped } from './fence';
import { IntegrationError } from './integrations/integration';

/** What an attempt can say about its own failure. */
export interface FailedAttempt {
  /** In words, for the sentence of an unforeseen error. */
  readonly verb: 'plan' | 'provision' | 'extend' | 'deprovision' | 'probe' | 'sweep' | 'check';
  /** Which attempt it was, from 1. */
  readonly attempt: number;
  /** Whether no attempt came before it. The number alone does not say so: an operator can reset it. */
  readonly first: boolean;
  /** How many mutating calls were begun and not surely without effect. */
  readonly mutations: number;
}

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 5 * 60_000;
const GONE_AFTER_ATTEMPTS = 3;

/**
 * Every failure that leaves an activity is made here: from our own words and an allow-list of facts. The original error
 * is dropped, cause and stack included, because providers and their clients put credentials into both.
 */
export function toFailure(error: unknown, failed: FailedAttempt): ApplicationFailure {
  const detail: ProvisionFailureDetail = { nothingMade: failed.first && failed.mutations === 0 };
  if (error instanceof AttemptStopped) return stopped(error, detail);
  if (error instanceof ApplicationFailure) {
    return isPatient(failed) ? patiently(error, failed) : restate(error, detail);
  }
  if (!(error instanceof IntegrationError)) return unforeseen(error, failed, detail);
  const nonRetryable = !isPatient(failed) && (isHopeless(error.type) || isGone(error, failed));
  return ApplicationFailure.create({
    type: error.type,
    message: error.message,
    nonRetryable,
    details: [detail],
    ...(error.type === 'AbsenceUnproven' || nonRetryable ? { category: 'BENIGN' as const } : {}),
    ...(nonRetryable ? {} : { nextRetryDelay: delayOf(error, failed) }),
  });
}

/** Whether it is tried again whatever the provider says: what must be removed stays to be removed. */
function isPatient({ verb }: FailedAttempt): boolean {
  return verb === 'deprovision' || verb === 'probe';
}

/** What is to be extended and is found by none of several attempts was removed by hand: whoever asks need not wait for the time-out. */
function isGone({ type }: IntegrationError, { verb, attempt }: FailedAttempt): boolean {
  return verb === 'extend' && type === 'NotFound' && attempt >= GONE_AFTER_ATTEMPTS;
}

/** A refusal of our own. */
export function refuse(type: LeaseFailureType, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, category: 'BENIGN' });
}

/**
 * Not a CancelledFailure: the SDK reports that as a cancellation even when it is the worker that stops, and drops the
 * details. To Temporal this is the same: a failed attempt whose activity was cancelled is not retried, any other is.
 */
function stopped(error: AttemptStopped, detail: ProvisionFailureDetail): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'Unavailable',
    message: error.message,
    details: [detail],
    nextRetryDelay: 100,
    category: 'BENIGN',
  });
}

/** A refusal of our own, with what this attempt knows of the provider. */
function restate(
  { type, message, nonRetryable }: ApplicationFailure,
  detail: ProvisionFailureDetail,
): ApplicationFailure {
  return ApplicationFailure.create({
    type: type ?? 'Unavailable',
    message,
    nonRetryable: nonRetryable === true,
    details: [detail],
    category: 'BENIGN',
  });
}

/** Removal is never given up, not even for a refusal of our own such as a missing entry in the configuration. */
function patiently({ type, message }: ApplicationFailure, failed: FailedAttempt): ApplicationFailure {
  return ApplicationFailure.create({ type: type ?? 'Unavailable', message, nextRetryDelay: backOff(failed) });
}

/** Errors whose sentences are our own, without a secret and fit to be stored. */
const OUR_ERRORS: readonly string[] = ['AuditError', 'TemporalError', 'UnresolvedReference', 'WebhookError'];

/** What may be said of any error: its own sentence if that is ours, else the kind of what Temporal answered; null: nothing. */
export function sayable(error: unknown): string | null {
  if (error instanceof Error && OUR_ERRORS.includes(error.name)) return error.message;
  return grpcStatusOf(error) === null ? null : explainFailure(error);
}

/** Runs what asks Temporal, writes or sends, and needs no provider, so that its errors leave in our words. */
export async function plainly<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw toPlainFailure(error);
  }
}

/** Of an error that is not ours only that it happened is told. */
export function toPlainFailure(error: unknown): ApplicationFailure {
  const message = sayable(error) ?? 'It failed for a reason that may hold a secret and is therefore not repeated here.';
  return ApplicationFailure.create({ type: 'Unavailable', message });
}

function unforeseen(error: unknown, failed: FailedAttempt, detail: ProvisionFailureDetail): ApplicationFailure {
  const message = sayable(error);
  if (message !== null) {
    return ApplicationFailure.create({
      type: 'Unavailable',
      message,
      details: [detail],
      nextRetryDelay: backOff(failed),
    });
  }
  const name = error instanceof Error ? error.constructor.name.replace(/[^A-Za-z0-9]/g, '').slice(0, 40) : typeof error;
  return ApplicationFailure.create({
    type: 'Unavailable',
    message: `${failed.verb} failed for a reason that may hold a secret and is therefore not repeated here (${name}).`,
    details: [detail],
    nextRetryDelay: backOff(failed),
  });
}

function delayOf(error: IntegrationError, failed: FailedAttempt): number {
  const asked = error.facts.retryAfterMs;
  return asked === undefined ? backOff(failed) : Math.min(Math.max(asked, 100), LONGEST_DELAY_MS);
}

/** Exponential with jitter, so that a thousand leases whose provider was away do not all come back in the same second. */
function backOff({ attempt }: FailedAttempt): number {
  const ceiling = Math.min(FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 20), LONGEST_DELAY_MS);
  return Math.round(ceiling * (0.5 + Math.random() / 2));
}
