/** What happened. `denied`: refused before anything was made; `failed`: tried, and not delivered. */
export type AuditEvent =
  | 'issued'
  | 'denied'
  | 'failed'
  | 'extended'
  | 'stuck'
  | 'expired'
  | 'revoked'
  | 'abandoned'
  | 'swept'
  | 'late'
  | 'sweep_refused'
  | 'incident_opened'
  | 'incident_closed';

export type AuditDetails = Readonly<Record<string, string | number | boolean | null>>;

/** One decision about a lease, as it is written down. Never holds a credential. */
export interface AuditLine {
  /** ISO instant at which it was written. */
  readonly time: string;
  /**
   * `<lease id>/<run id>/<event>`, and `/<n>` for events that repeat. A line is written at least once: readers drop
   * repeats by this.
   */
  readonly id: string;
  readonly event: AuditEvent;
  readonly leaseId: string | null;
  readonly holder: string | null;
  readonly project: string | null;
  readonly config: string | null;
  readonly dynamicSecret: string | null;
  readonly integration: string | null;
  readonly entity: string | null;
  /** Who asked. */
  readonly by: string | null;
  /** Why: a sentence, or a failure's `type: message`. */
  readonly reason: string | null;
  /** Further facts, none of them secret. */
  readonly details: AuditDetails;
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
