import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { abandon, claim, extend, lease as leaseQuery, nudge, revoke } from './contract';
import type { Claim, ClaimInput, ExtendInput, LeaseEnd, LeaseFailure, LeaseInput, LeaseOutcome } from './contract';
import { createExtender, isLive, sleepUntilEnd, validateExtend } from './active';
import { readCondition, readEnding } from './ending';
import type { Ending } from './ending';
import { createJournal } from './journal';
import type { Journal } from './journal';
import { holdToInput } from './own-attributes';
import { isReset, provisionLease } from './provisioning';
import { createRemoval } from './removal';
import type { LeaseRecord } from './record';
import { isCondemned, move } from './record';
import { refusal } from './refusal';
import { beginView } from './view';
import { whoAsked } from './why-ended';

/** Marks the histories of leases that write audit lines. */
const RECORDS = 'records';

/**
 * One lease: plan → provision → active → deprovision → ended. Completes with the outcome in every case, a cancelled or failed
 * lease included; by then the provider holds nothing of it, unless the outcome is `abandoned`.
 */
export async function lease(input: LeaseInput): Promise<LeaseOutcome> {
  checkInput(input);
  const leaseId = workflowInfo().workflowId;
  const record: LeaseRecord = {
    input,
    view: beginView(leaseId, input, new Date()),
    plan: null,
    provisioned: null,
    provisionedBy: Infinity,
    condemned: null,
    ending: false,
    keepsRecords: patched(RECORDS),
    dueAt: null,
    remark: null,
  };
  const journal = createJournal(record);
  // Handlers also run in the root scope, which a cancel from outside would take from under them.
  const shield = new CancellationScope({ cancellable: false });
  return shield.run(async () => {
    const provisioning = new CancellationScope();
    const extensions = new CancellationScope();
    const removal = createRemoval(record, journal);
    let settled = false;

    const condemn = (ending: Ending): void => {
      if (record.ending || isCondemned(record)) return;
      record.condemned = ending;
      record.dueAt = new Date().toISOString();
      move(record, { endedBy: ending.by, reason: ending.reason });
      provisioning.cancel();
    };

    setHandler(leaseQuery, () => record.view, {
      description: 'What the lease is, who holds it, when it ends and why it ended.',
    });
    setHandler(
      revoke,
      (argument: unknown) => {
        if (concerns(record, argument)) condemn(readEnding(argument));
      },
      {
        description: 'Ends the lease now. Needs no input; {"by": "...", "reason": "..."} is recorded.',
      },
    );
    setHandler(
      abandon,
      (argument: unknown) => {
        removal.abandon(readEnding(argument));
      },
      {
        description: 'Gives up a removal that does not succeed; the entity may remain at the provider. Needs no input.',
      },
    );
    setHandler(
      nudge,
      () => {
        removal.nudge();
      },
      { description: 'Tries a waiting removal at once. Needs no input.' },
    );
    setHandler(
      claim,
      () =>
        shield.run(async () => {
          await condition(() => settled);
          return answerClaim(record);
        }),
      {
        validator: (argument: ClaimInput | undefined) => {
          validateClaim(record, argument);
        },
        description: 'Hands the sealed credential to the client that holds the key. Used by clients, not by hand.',
      },
    );
    const extendLease = createExtender(record, extensions, journal);
    setHandler(extend, (argument) => shield.run(() => extendLease(argument)), {
      validator: (argument: ExtendInput | undefined) => {
        validateExtend(record, argument);
      },
      description: 'Moves the expiry to {"ttlMs": n} milliseconds from now, later or earlier.',
    });
    cancelRequested(() => {
      condemn({ by: 'unknown', reason: 'cancelled in Temporal' });
    });

    holdToInput(input);
    move(record, {});
    const remains = await provisionLease(record, provisioning);
    if (record.provisioned !== null && record.plan !== null && !isCondemned(record)) {
      // A workflow that is told late must not outlive the expiry that the provider was given as a backstop.
      const now = Math.min(Date.now(), record.provisionedBy);
      move(record, {
        state: 'active',
        issuedAt: new Date(now).toISOString(),
        expiresAt: new Date(now + record.plan.ttlMs).toISOString(),
      });
    }
    if (record.view.state === 'active' && !(await journal.insist('issued', { expiresAt: record.view.expiresAt }))) {
      move(record, { failure: UNRECORDED });
    }
    settled = true;
    if (record.view.state === 'active' && record.view.failure === null) await sleepUntilEnd(record);
    record.ending = true;
    record.dueAt ??= new Date().toISOString();
    extensions.cancel();
    const end = endOf(record);
    // A claim is answered, by a refusal if need be, before removal begins.
    await condition(allHandlersFinished);
    const gone = remains === null || record.plan === null || (await removal.run(record.plan, remains));
    const state = gone ? end : 'abandoned';
    const endedAt = new Date().toISOString();
    // What was given up and is gone all the same has ended as it was meant to.
    move(record, { state, endedAt, ...(gone ? whoAsked(record) : {}) });
    await tellEnd(record, journal, state, endedAt);
    await condition(allHandlersFinished);
    return outcomeOf(record, state, endedAt);
  });
}

function checkInput(input: LeaseInput | undefined): void {
  const names = ['project', 'config', 'dynamicSecret', 'holder', 'thumbprint'] as const;
  const missing = names.filter((name) => typeof input?.[name] !== 'string');
  if (missing.length === 0 && typeof input?.recipient === 'object') return;
  throw ApplicationFailure.create({
    type: 'InvalidInput',
    nonRetryable: true,
    message:
      'A lease is issued through a Leasehold client. This input lacks what a client sends, and nothing was made.',
  });
}

/** A client that gave up does not know what became of its request: its revoke must hit no one else's credential. */
function concerns(record: LeaseRecord, argument: unknown): boolean {
  const { issuedTo, undelivered } = readCondition(argument);
  if (issuedTo !== null && issuedTo !== record.input.thumbprint) return false;
  return !(undelivered && record.view.delivered);
}

function cancelRequested(then: () => void): void {
  const root = CancellationScope.current().parent;
  root?.cancelRequested.catch(then);
}

function validateClaim(record: LeaseRecord, argument: ClaimInput | undefined): void {
  if (argument?.thumbprint !== record.input.thumbprint) {
    throw refusal(
      'AlreadyIssued',
      `Lease ${record.view.leaseId} was issued to another key pair, the only one that can open it.`,
    );
  }
  if (argument.ttlMs !== record.input.ttlMs) {
    throw refusal(
      'IdempotencyMismatch',
      `Lease ${record.view.leaseId} was requested with another TTL under the same idempotency key.`,
    );
  }
}

function answerClaim(record: LeaseRecord): Claim {
  const { provisioned, view } = record;
  if (provisioned !== null && view.expiresAt !== null && isLive(record)) {
    if (!view.delivered) move(record, { delivered: true });
    const { sealed, usableAt, facts, notes } = provisioned;
    return { leaseId: view.leaseId, sealed, expiresAt: view.expiresAt, usableAt, facts, notes };
  }
  if (!isCondemned(record) && view.failure !== null) throw refusal(view.failure.type, view.failure.message);
  throw refusal('LeaseEnded', `Lease ${view.leaseId} ended before its credential was handed over.`);
}

function endOf(record: LeaseRecord): LeaseEnd {
  // Without a plan nothing was made by this run, and nothing is removed of what a run before a reset had made.
  if (isCondemned(record) && (record.plan !== null || !isReset())) return 'revoked';
  return record.view.failure !== null ? 'failed' : 'expired';
}

const UNRECORDED: LeaseFailure = {
  type: 'Unavailable',
  message:
    'The audit line of this lease could not be written, and nothing is issued without one: see the log of the worker.',
};

function tellEnd(record: LeaseRecord, journal: Journal, state: LeaseEnd, endedAt: string): Promise<void> {
  const { delivered, extensions, issuedAt } = record.view;
  const planned = record.plan !== null;
  return journal.close(state === 'failed' && !planned ? 'denied' : state, {
    delivered,
    extensions,
    issued: issuedAt !== null,
    type: record.view.failure?.type ?? null,
    lagMs: planned && record.dueAt !== null ? Date.parse(endedAt) - Date.parse(record.dueAt) : null,
  });
}

function outcomeOf(record: LeaseRecord, state: LeaseEnd, endedAt: string): LeaseOutcome {
  const { leaseId, delivered, endedBy, reason, failure } = record.view;
  return { leaseId, state, delivered, endedAt, endedBy, reason, failure };
}
