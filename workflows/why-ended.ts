import type { RecordedEvent, RecordInput } from './contract';
import type { LeaseRecord } from './record';

/**
 * Who asked for the end that an audit line is about, and why. A task that is lost is computed again, and may by then have taken in a
 * signal that came later: its line must say the same again. So what does not tell of an end tells nothing of who asked for it, and
 * what tells of a removal tells who asked for that one, and not who gave it up.
 */
export function whyEnded(
  event: RecordedEvent,
  { view, condemned }: Pick<LeaseRecord, 'view' | 'condemned'>,
): Pick<RecordInput, 'by' | 'reason'> {
  if (event === 'issued' || event === 'extended') return { by: null, reason: null };
  const { by, reason } =
    event === 'stuck'
      ? { by: condemned?.by ?? null, reason: condemned?.reason ?? null }
      : { by: view.endedBy, reason: view.reason };
  return { by, reason: reason ?? (view.failure === null ? null : `${view.failure.type}: ${view.failure.message}`) };
}
