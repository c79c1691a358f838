import { randomUUID } from 'node:crypto';
import { generateRecipient, LeaseError } from '../../client/http';
import type { HttpIssueRequest } from '../../client/http';
import { fullHolder } from './actor';
import type { Actor, ApiName } from './actor';
import type { HolderName, IntegrationName, Operation } from './plan-types';
import type { IssueSeen } from './trace';

/** Beyond the time-out of the issue itself, and all that may be done after it. */
const TIMEOUT_MS = 40_000;
/** More than any dynamic secret of the world allows. */
const TOO_LONG_MS = 10 * 60_000;

/** One caller, or several who repeat the same request with the same idempotency key and the same key pair. */
export async function issue(actor: Actor, operation: Extract<Operation, { do: 'issue' }>): Promise<void> {
  const { holder, integration, ttlMs, through, times, hangUpAfterMs } = operation;
  const asked = { actor, holder, integration, ttlMs };
  if (times === 1) {
    const signal = hangUpAfterMs === null ? {} : { signal: AbortSignal.timeout(hangUpAfterMs) };
    await issueOnce({ ...asked, through, more: signal });
    return;
  }
  const more = { idempotencyKey: randomUUID(), recipient: await generateRecipient() };
  const other = through === 'api-1' ? 'api-2' : 'api-1';
  const calls = Array.from({ length: times }, (_, index) =>
    issueOnce({ ...asked, through: index % 2 === 0 ? through : other, more }),
  );
  await Promise.all(calls);
}

/** Longer than is allowed, by whoever comes first. */
export async function issueTooLong(actor: Actor, integration: IntegrationName): Promise<void> {
  await issueOnce({ actor, holder: 'ada', integration, ttlMs: TOO_LONG_MS, through: 'api-1', more: {} });
}

interface Asked {
  readonly actor: Actor;
  readonly holder: HolderName;
  readonly integration: IntegrationName;
  readonly ttlMs: number;
  readonly through: ApiName;
  readonly more: Pick<HttpIssueRequest, 'idempotencyKey' | 'recipient' | 'signal'>;
}

async function issueOnce({ actor, holder, integration, ttlMs, through, more }: Asked): Promise<void> {
  const { world, recorder, holdings } = actor;
  const askedAt = Date.now();
  const outcome = await actor
    .leases(holder, through)
    .issue({
      project: world.project,
      config: world.config,
      dynamicSecret: world.dynamicSecrets[integration],
      ttl: ttlMs / 1_000,
      timeoutMs: TIMEOUT_MS,
      ...more,
    })
    .then(
      ({ leaseId, expiresAt, credential }): IssueSeen['outcome'] => {
        const worksUntil = expiresAt.getTime();
        holdings.add({ leaseId, holder, integration, credential, askedAt, worksUntil });
        const identity = world.identityOf(integration, credential);
        return { is: 'delivered', leaseId, expiresAt: worksUntil, identity };
      },
      (error: unknown): IssueSeen['outcome'] => {
        if (!(error instanceof LeaseError)) throw error;
        const { leaseId = null, undelivered = null } = error;
        return { is: 'refused', code: codeOf(error), leaseId, undelivered };
      },
    );
  recorder.issue({
    integration,
    holder: fullHolder(holder),
    ttlMs,
    idempotencyKey: more.idempotencyKey ?? null,
    askedAt,
    answeredAt: Date.now(),
    outcome,
  });
}

/** Nothing is known of what nobody answered; a caller that hung up is to blame for the end of its lease. */
function codeOf({ code, undelivered }: LeaseError): string {
  if (code === 'Aborted') return 'hung-up';
  return undelivered === 'unknown' ? 'unknown' : code;
}
