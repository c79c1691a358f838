import type { Pauses } from './pauses';
import type { Fault, IntegrationName, ProcessName } from './plan-types';
import type { Program } from './programs';
import type { Supervised } from './supervised';
import type { FaultSeen } from './trace';
import type { Weather } from './weather';

export interface InjectDeps {
  readonly temporal: Supervised;
  readonly programs: Readonly<Record<ProcessName, Program>>;
  readonly weather: Readonly<Record<IntegrationName, Weather>>;
  readonly pauses: Pauses;
}

/** How long a call hangs at the most before its caller gives it up: the time that an attempt has. */
const HANGS_FOR_MS = 8_000;

/** Injects a fault and answers what it met once it is over. */
export async function inject(deps: InjectDeps, fault: Fault): Promise<FaultSeen> {
  const from = Date.now();
  const met = await act(deps, fault);
  const hit = typeof met === 'boolean' ? met : met.hit;
  return { fault: typeof met === 'boolean' ? fault : met.fault, from, to: Date.now(), hit };
}

/** Of a fault at a call: it meets whichever worker calls first, and says so. */
type Met = boolean | { readonly hit: boolean; readonly fault: Fault };

async function act({ temporal, programs, weather, pauses }: InjectDeps, fault: Fault): Promise<Met> {
  switch (fault.do) {
    case 'kill':
      return programs[fault.process].kill(fault.downMs);
    case 'restart':
      return programs[fault.process].restart();
    case 'stop':
      return programs[fault.process].freeze(fault.forMs);
    case 'clock':
      return programs[fault.process].shiftClock(fault.offsetMs, fault.forMs);
    case 'stop-at-call':
      return atCall(programs, weather, fault, (program) => program.freeze(fault.forMs));
    case 'kill-at-call':
      return atCall(programs, weather, fault, (program) => program.kill(0));
    case 'temporal-kill':
      return temporal.kill(fault.downMs);
    case 'temporal-stop':
      return temporal.freeze(fault.forMs);
    case 'provider-down':
      return forSoLong(pauses, weather[fault.integration].goDown(), fault.forMs);
    case 'provider-slow':
      return forSoLong(pauses, weather[fault.integration].slowDown(fault.delayMs), fault.forMs);
    case 'provider-throttling':
      return forSoLong(pauses, weather[fault.integration].throttle(), fault.forMs);
    case 'call': {
      const cameBy = await weather[fault.integration].spoil(fault.kind, fault.mutating, fault.times);
      if (cameBy > 0 && fault.kind.startsWith('hang')) await pauses.pause(HANGS_FOR_MS);
      return cameBy > 0;
    }
  }
}

async function forSoLong(pauses: Pauses, end: () => void, ms: number): Promise<boolean> {
  await pauses.pause(ms);
  end();
  return true;
}

async function atCall(
  programs: InjectDeps['programs'],
  weather: InjectDeps['weather'],
  fault: Extract<Fault, { readonly do: 'stop-at-call' | 'kill-at-call' }>,
  does: (program: Program) => Promise<boolean>,
): Promise<Met> {
  const workers = [programs['worker-1'], programs['worker-2']];
  let caught: Program | undefined;
  let done: Promise<boolean> = Promise.resolve(false);
  await weather[fault.integration].setTrap({
    at: fault.do === 'stop-at-call' ? (fault.at ?? 'change') : 'change',
    phase: fault.phase,
    pids: () => workers.map((worker) => worker.pid()).filter((pid) => pid !== null),
    spring: (pid) => {
      caught = workers.find((worker) => worker.pid() === pid);
      if (caught !== undefined) done = does(caught);
    },
  });
  const hit = await done;
  if (caught?.name !== 'worker-1' && caught?.name !== 'worker-2') return false;
  return { hit, fault: { ...fault, process: caught.name } };
}
