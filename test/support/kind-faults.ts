import type { Kind } from '../integrations/subject';
import type { Fault } from './faults';

type FaultOfKind = Pick<Fault, 'kind' | 'status' | 'code'>;

/** Kinds that each provider answers with a code of its own. */
type Coded = 'refused' | 'quota exceeded' | 'called invalid';

/** What a proxy does for each kind of failure that the conformance suite knows. */
export function kindFaults(
  coded: Readonly<Record<Coded, Pick<Fault, 'status' | 'code'>>>,
): Readonly<Record<Kind, FaultOfKind>> {
  return {
    'answer lost': { kind: 'lost-answer' },
    'failed before': { kind: '500-before' },
    'failed after': { kind: '500-after' },
    'unreadable answer': { kind: 'html-503' },
    throttled: { kind: 'throttle' },
    'hung before': { kind: 'hang' },
    'hung after': { kind: 'hang-after' },
    'hung in its answer': { kind: 'hang-body' },
    'not found': { kind: 'not-found' },
    refused: { kind: 'error', ...coded.refused },
    'quota exceeded': { kind: 'error', ...coded['quota exceeded'] },
    'called invalid': { kind: 'error', ...coded['called invalid'] },
  };
}
