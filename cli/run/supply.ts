import type { HttpLeases } from '../../client/http';
import { LeaseError } from '../../client/http';
import { findPlace } from '../access';
import type { Place } from '../access';
import type { RunFlags } from '../commands/run';
import { areDynamic, select } from '../selection';
import type { Chosen } from '../selection';
import { checkTtlOf } from '../together';
import { readSeconds } from '../ttl';
import { warn } from '../warn';
import type { Child } from './child';
import { inEnvironment } from './delivery';
import type { Delivery, Values } from './delivery';
import { openLeasing } from './leasing';
import type { Leasing, LeasingRequest } from './leasing';
import { createNotices } from './notices';
import type { Notices } from './notices';

/** The running program, as far as its leases have to do with it. */
export type Supplied = Pick<Child, 'restart' | 'signal'>;

/** What a program gets. */
export interface Supply {
  /** All its variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** Once it runs: from then on it is told of fresh credentials, or of an end, as `--on-expiry` says. */
  attach(program: Supplied): void;
  /** Ends all leases and removes the mount. Takes 15 s or so at most and never fails: what is left is told on standard error. */
  close(): Promise<void>;
}

/**
 * Leases what the program is to have: all of it, or nothing is left.
 * @param signal gives it up; then LeaseError `Aborted`. Afterwards it does nothing.
 * @throws UsageError, AuthError, LeaseError
 */
export async function openSupply(leases: HttpLeases, flags: RunFlags, signal: AbortSignal): Promise<Supply> {
  const ttl = flags.dynamicTtl === undefined ? undefined : readSeconds(flags.dynamicTtl, '--ttl');
  const notices = createNotices(warn);
  const { place, statics, wanted } = await unlessAborted(choose(leases, flags), signal);
  checkTtlOf(
    wanted.map(({ secret }) => secret),
    ttl,
  );
  const delivery = await openDelivery(statics, flags, notices);
  let program: Supplied | null = null;
  let leasing: Leasing | null = null;
  const close = async (): Promise<void> => {
    program = null;
    await Promise.all([delivery.close(), leasing?.close()]);
  };
  try {
    const policy = policyOf(flags, delivery, () => program, notices);
    leasing = await openLeasing(leases, { place, wanted, ttl, signal, notices, ...policy });
    await delivery.hand(leasing.values);
    const environment = delivery.environment();
    return {
      environment,
      attach: (started) => {
        program = started;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Found {
  readonly place: Place;
  readonly statics: Values;
  readonly wanted: readonly Chosen[];
}

/** What is there, and what of it is wanted. Static secrets are not asked for where none is. */
async function choose(leases: HttpLeases, flags: RunFlags): Promise<Found> {
  const { onlySecrets } = flags;
  const place = await findPlace(leases, flags);
  const { project, config } = place;
  const offering = leases.offered(project, config);
  const areStaticsWanted = onlySecrets === undefined || !areDynamic(onlySecrets, await offering);
  const [offered, statics] = await Promise.all([
    offering,
    areStaticsWanted ? leases.secrets(project, config) : { ...place, values: {} },
  ]);
  const selection = select({ statics, offered }, onlySecrets);
  return {
    place,
    statics: new Map(Object.entries<string>(statics.values).filter(([name]) => selection.statics.includes(name))),
    wanted: selection.dynamics,
  };
}

async function openDelivery(statics: Values, flags: RunFlags, notices: Notices): Promise<Delivery> {
  const {
    mount: path,
    mountFormat: format,
    mountMaxReads: maxReads,
    preserveEnv: preserve,
    onlySecrets: asked,
  } = flags;
  if (path === undefined) return inEnvironment(statics, { preserve, asked }, notices);
  const { inMount } = await import('./mounted.js');
  return inMount(statics, { path, format, maxReads }, preserve, notices);
}

/** What becomes of the program when its leases cannot be extended. */
function policyOf(
  { onExpiry, expirySignal, mount }: RunFlags,
  delivery: Delivery,
  program: () => Supplied | null,
  notices: Notices,
): Pick<LeasingRequest, 'onFresh' | 'onEnding'> {
  const canTakeOver = onExpiry === 'restart' || (onExpiry === 'signal' && mount !== undefined);
  return {
    onFresh: canTakeOver
      ? async (values) => {
          await delivery.hand(values);
          if (onExpiry === 'restart') {
            const isRestarted = await program()?.restart(delivery.environment());
            if (isRestarted === true) notices.say('The program was restarted with fresh credentials.');
          } else program()?.signal(expirySignal);
        }
      : null,
    onEnding: () => {
      if (onExpiry === 'signal') program()?.signal(expirySignal);
    },
  };
}

/** @throws LeaseError `Aborted` at once when it is called off; what was being asked changes nothing. */
async function unlessAborted<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const refuse = (): void => {
      reject(new LeaseError('Aborted', 'It was called off before anything was leased.'));
    };
    if (signal.aborted) refuse();
    signal.addEventListener('abort', refuse, { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([asked, aborted]);
  } finally {
    over.abort();
  }
}
