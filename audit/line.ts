import type { RecordedEvent, RecordInput } from '../workflows/contract';

/**
 * What happened. `denied`: refused before anything was made; `failed`: tried, and not delivered. Three are the sweep's. The rest is
 * what was asked for over HTTP: `delivered` once a credential is about to be sent, everything else before it is done.
 */
export type AuditEvent =
  | RecordedEvent
  | 'swept'
  | 'late'
  | 'sweep_refused'
  | 'delivered'
  | 'revoke_requested'
  | 'abandon_requested'
  | 'bulk_revoke_requested'
  | 'block_lifted';

/**
 * One decision about a lease, as it is written down. Never holds a credential. Written at least once: readers drop repeats by
 * `id`. `by`: who asked; `reason`: why, in a sentence or as a failure's `type: message`.
 */
export interface AuditLine extends Omit<RecordInput, 'event'> {
  /** ISO instant at which it was written. */
  readonly time: string;
  readonly event: AuditEvent;
}

/** What is known of a decision; the rest of the line is filled in. */
export type AuditRecord = Pick<AuditLine, 'id' | 'event'> & {
  readonly [Field in Exclude<keyof AuditLine, 'time' | 'id' | 'event'>]?: AuditLine[Field] | undefined;
};

const LONGEST = 1_000;

/** A line of which every text has at most 1,000 characters, none of them a control character. */
export function auditLine(record: AuditRecord, now: Date = new Date()): AuditLine {
  return {
    time: now.toISOString(),
    id: bound(record.id),
    event: record.event,
    leaseId: boundOrNull(record.leaseId),
    holder: boundOrNull(record.holder),
    project: boundOrNull(record.project),
    config: boundOrNull(record.config),
    dynamicSecret: boundOrNull(record.dynamicSecret),
    integration: boundOrNull(record.integration),
    entity: boundOrNull(record.entity),
    by: boundOrNull(record.by),
    reason: boundOrNull(record.reason),
    details: Object.fromEntries(
      Object.entries(record.details ?? {}).map(([name, value]) => [
        bound(name),
        typeof value === 'string' ? bound(value) : value,
      ]),
    ),
  };
}

function boundOrNull(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : bound(text);
}

/** Direction marks and separators of lines count as control characters: they too make a line read as something else. */
function bound(text: string): string {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
  return shown.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, ' ');
}
