import { z } from 'zod';
import { IntegrationError } from '../../activities/integrations/integration';
import type {
  Attempt,
  EntityMarks,
  Integration,
  IntegrationType,
  Quota,
} from '../../activities/integrations/integration';
import type { Handle, ProviderErrorType } from '../../workflows/contract';

/** One thing at the provider. */
export interface MemoryEntity extends EntityMarks {
  readonly createdAt: Date;
}

/** A provider whose entities are a map, for tests of what is not the provider's: sweeps, incidents, limits. */
export interface MemoryProvider {
  readonly type: IntegrationType<{ prefix: string }, object>;
  /** By name. Tests may put in and take out. */
  readonly entities: Map<string, MemoryEntity>;
  /** While set, every call of these verbs fails so. */
  fail(type: ProviderErrorType, ...verbs: Verb[]): void;
  heal(): void;
  quota: Quota | null;
  /** How often each verb was asked. */
  readonly calls: Readonly<Record<Verb, number>>;
  /** Names of the entities of a lease. */
  of(leaseId: string): string[];
  /** Runs before each call and is waited for. */
  before: (verb: Verb, name: string) => Promise<void> | void;
}

export type Verb = 'provision' | 'extend' | 'deprovision' | 'list' | 'readMarks' | 'quota' | 'check';

const NAME = /^(?<prefix>.+)-(?<deployment>[a-z2-7]{8})-(?<leaseId>[a-z2-7]{24})$/;

export function createMemoryProvider(pageSize = 3): MemoryProvider {
  const entities = new Map<string, MemoryEntity>();
  const calls = { provision: 0, extend: 0, deprovision: 0, list: 0, readMarks: 0, quota: 0, check: 0 };
  let fault: { readonly type: ProviderErrorType; readonly verbs: readonly Verb[] } | null = null;

  const ask = async (verb: Verb, name = ''): Promise<void> => {
    calls[verb] += 1;
    await provider.before(verb, name);
    if (fault === null || (fault.verbs.length > 0 && !fault.verbs.includes(verb))) return;
    throw new IntegrationError(fault.type, { operation: verb, ...(name === '' ? {} : { entity: name }) });
  };
  const nameOf = (handle: Handle): string => String(handle['name']);
  const refuseOther = (name: string, attempt: Attempt): void => {
    const found = entities.get(name);
    if (found === undefined) return;
    if (found.deployment === attempt.deployment && found.leaseId === attempt.leaseId) return;
    throw new IntegrationError('Refused', { operation: 'look', entity: name, hint: 'It is not of this lease.' });
  };

  const open = (prefix: string): Integration<object> => ({
    provision: async (handle, _, expiresAt, attempt) => {
      const name = nameOf(handle);
      await ask('provision', name);
      await attempt.fence.pass('provision');
      const { deployment, leaseId } = attempt;
      entities.set(name, { deployment, leaseId, expiresAt, createdAt: new Date() });
      return { credential: { TOKEN: `canary-${leaseId}` }, usableAt: new Date(), facts: { name }, notes: [] };
    },
    extend: async (handle, expiresAt) => {
      const name = nameOf(handle);
      await ask('extend', name);
      const found = entities.get(name);
      if (found !== undefined) entities.set(name, { ...found, expiresAt });
    },
    deprovision: async (handle, attempt) => {
      const name = nameOf(handle);
      await ask('deprovision', name);
      refuseOther(name, attempt);
      await attempt.fence.pass('deprovision');
      return { result: entities.delete(name) ? 'removed' : 'absent' };
    },
    list: async (cursor) => {
      await ask('list');
      const ours = [...entities].filter(([name]) => name.startsWith(`${prefix}-`)).sort(([a], [b]) => (a < b ? -1 : 1));
      const rest = ours.filter(([name]) => cursor === null || name > cursor);
      const page = rest.slice(0, pageSize);
      return {
        entities: page.map(([name, { createdAt }]) => {
          const parts = NAME.exec(name)?.groups;
          const isOurs = parts?.['prefix'] === prefix;
          return {
            entity: name,
            handle: { name },
            createdAt,
            mark: isOurs ? { deployment: parts['deployment']!, leaseId: parts['leaseId']! } : null,
          };
        }),
        next: rest.length > pageSize ? page.at(-1)![0] : null,
      };
    },
    readMarks: async (handle) => {
      await ask('readMarks', nameOf(handle));
      return entities.get(nameOf(handle)) ?? null;
    },
    quota: async () => {
      await ask('quota');
      return provider.quota;
    },
    check: async () => {
      await ask('check');
      return { identity: 'memory', missingRights: [], untriedRights: [], quota: provider.quota, notes: [] };
    },
    close: () => undefined,
  });

  const provider: MemoryProvider = {
    entities,
    calls,
    quota: null,
    before: () => undefined,
    of: (leaseId) => [...entities.keys()].filter((name) => name.includes(leaseId)),
    fail: (type, ...verbs) => {
      fault = { type, verbs };
    },
    heal: () => {
      fault = null;
    },
    type: {
      type: 'memory',
      kind: 'entry in memory',
      connection: z.strictObject({ prefix: z.string().default('lab') }),
      parameters: z.strictObject({}),
      fields: () => ['TOKEN'],
      consistencyWindowMs: 0,
      plan: ({ deployment, leaseId }, { prefix }) => {
        const name = `${prefix}-${deployment}-${leaseId}`;
        return { entity: name, handle: { name } };
      },
      connect: ({ prefix }, { throttle }) => {
        const integration = open(prefix);
        return {
          ...integration,
          deprovision: async (handle, attempt) => {
            await throttle(attempt.fence.signal);
            return integration.deprovision(handle, attempt);
          },
        };
      },
    },
  };
  return provider;
}
