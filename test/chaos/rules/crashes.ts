import { time } from '../instants';
import { judge } from './rule';
import type { Evidence, Verdict } from './rule';

/** No program ends by itself, nor otherwise than with code 0 when it is asked to end. */
export function noCrashes({ trace }: Evidence): Verdict {
  const judgement = judge('programs');
  for (const { fault } of trace.faults) {
    if (fault.do === 'restart' || fault.do === 'clock') judgement.look();
  }
  for (const { process, at, how } of trace.crashes) judgement.violated(null, `${process} at ${time(at)}: ${how}`);
  return judgement.verdict();
}
