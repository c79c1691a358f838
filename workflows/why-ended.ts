import type { LeaseView, RecordedEvent, RecordInput } from './contract';
import type { LeaseRecord } from './record';

type Known = Pick<LeaseRecord, 'view' | 'condemned'>;

/** Who asked for the removal, and why, whoever gives it up; null: its expiry, or a failure. */
export function whoAsked({ condemned }: Pick<Known, 'condemned'>): Pick<LeaseView, 'endedBy' | 'reason'> {
  return { endedBy: condemned?.by ?? null, reason: condemned?.reason ?? null };
}

/**
 * Who asked for the end that an audit line is about, and why. A task that is lost is computed again, and may by then have taken in a
 * signal that came later: its line must say the same again. So what does not tell of an end tells nothing of who asked for it, and
 * only a line that tells that a removal was given up tells by whom.
 */
export function whyEnded(event: RecordedEvent, record: Known): Pick<RecordInput, 'by' | 'reason'> {
  if (event === 'issued' || event === 'extended') return { by: null, reason: null };
  const { failure } = record.view;
  const { endedBy, reason } = event === 'abandoned' ? record.view : whoAsked(record);
  return { by: endedBy, reason: reason ?? (failure === null ? null : `${failure.type}: ${failure.message}`) };
}
