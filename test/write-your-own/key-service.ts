import { z } from 'zod';
import { referenceSchema } from '../../config/reference';
import type { Handle, ProviderErrorType } from '../../workflows/contract';
import { entityName, parseEntityName } from '../../activities/integrations/entity-name';
import { IntegrationError } from '../../activities/integrations/integration';
import type { Attempt, Fence, Integration, IntegrationDeps } from '../../activities/integrations/integration';
import type { EntityMark, IntegrationType } from '../../activities/integrations/integration';

const connection = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }),
  /** The orchestrator's own token, never itself in the file: `env:NAME` or `file:/path`. */
  token: referenceSchema,
  name_prefix: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,28}$/, 'must be 1 to 29 of a-z 0-9 -, and begin with a letter')
    .default('leasehold'),
});

const parameters = z.strictObject({ scopes: z.array(z.string().min(1)).min(1, 'must name at least one scope') });

type Connection = z.output<typeof connection>;
type Parameters = z.output<typeof parameters>;

/** One key of the key service for each lease. */
export const keyService: IntegrationType<Connection, Parameters> = {
  type: 'key_service',
  kind: 'key of the key service',
  connection,
  parameters,
  fields: () => ['KEY'],
  // The service shows at once what it made. One that does not must be waited for.
  consistencyWindowMs: 0,
  plan: (context, { name_prefix: prefix }) => {
    const name = entityName(prefix, context);
    return { entity: name, handle: { name } };
  },
  connect: (settings, deps) => connectKeyService(settings, deps),
};

/** What the service tells of a key. Never the secret: that is in the answer to the call that makes it, once. */
const key = z.object({
  name: z.string(),
  deployment: z.string().nullable(),
  lease: z.string().nullable(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
});
const secret = z.object({ secret: z.string().min(1) });
const page = z.object({ keys: z.array(key), next: z.string().nullable() });
const self = z.object({ name: z.string(), rights: z.array(z.string()), used: z.number(), limit: z.number() });

const RIGHTS = ['keys:read', 'keys:write', 'keys:delete'];

/** Longest wait for one call. Without it a service that hangs would hold an attempt until its time is over. */
const ANSWER_WITHIN_MS = 8_000;

function connectKeyService(
  settings: Connection,
  { resolveReference, throttle }: IntegrationDeps,
): Integration<Parameters> {
  interface Call {
    /** The provider's name of what is done, for errors. */
    readonly operation: string;
    readonly entity?: string;
    readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
    readonly path: string;
    readonly body?: object;
  }

  /** A call that changes nothing: given up when the attempt is over. */
  async function read<T>(call: Call, answer: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    await throttle(signal);
    try {
      return await send(call, answer, signal);
    } catch (error) {
      // The reason of the signal is passed on as it is.
      signal.throwIfAborted();
      throw error;
    }
  }

  /** A call that creates, changes or deletes: only while the lease is still this attempt's own. Once sent it is not aborted. */
  async function change<T>(call: Call, answer: z.ZodType<T>, fence: Fence): Promise<T> {
    await throttle(fence.signal);
    await fence.pass(call.operation);
    if (!fence.holds()) {
      fence.withdraw();
      throw failure('Unavailable', call, { hint: 'Nothing was sent: this attempt may have lost its lease.' });
    }
    try {
      return await send(call, answer);
    } catch (error) {
      // Refused means that this very call did nothing. Without an answer, or after a 5xx, nobody knows.
      if (error instanceof IntegrationError && error.type !== 'Unavailable') fence.withdraw();
      throw error;
    }
  }

  async function send<T>(call: Call, answer: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    let response: Response;
    let said: unknown;
    // Not AbortSignal.timeout and AbortSignal.any: Node forgets a signal that only another one refers to, and never aborts.
    const giveUp = new AbortController();
    const abort = (): void => {
      giveUp.abort();
    };
    const timer = setTimeout(abort, ANSWER_WITHIN_MS);
    signal?.addEventListener('abort', abort);
    if (signal?.aborted === true) abort();
    try {
      response = await fetch(new URL(call.path, settings.url), {
        method: call.method,
        // Read at each call, so that a renewed token is in force at once.
        headers: { authorization: `Bearer ${resolveReference(settings.token)}`, 'content-type': 'application/json' },
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal: giveUp.signal,
      });
      const text = await response.text();
      said = text === '' ? null : (JSON.parse(text) as unknown);
    } catch (error) {
      // Ours says which reference leads to nothing. What any other says may hold a secret, and is dropped with its cause.
      if (error instanceof Error && error.name === 'UnresolvedReference') throw error;
      throw failure('Unavailable', call, {});
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
    const { status } = response;
    if (status >= 400) {
      const code = z.object({ code: z.string() }).safeParse(said).data?.code;
      const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
      throw failure(typeOf(status, code), call, {
        httpStatus: status,
        ...(code === undefined ? {} : { code }),
        ...(Number.isFinite(seconds) ? { retryAfterMs: seconds * 1_000 } : {}),
      });
    }
    const read = answer.safeParse(said);
    if (!read.success) throw failure('Unavailable', call, { hint: 'The answer was not as documented.' });
    return read.data;
  }

  /** The lease's own key, or null. Somebody else's of the same name is refused and never touched. */
  async function look(name: string, mark: EntityMark, signal: AbortSignal): Promise<z.output<typeof key> | null> {
    const found = await find(name, signal);
    if (found === null || (found.deployment === mark.deployment && found.lease === mark.leaseId)) return found;
    throw failure('Refused', { operation: 'ReadKey', entity: name }, { hint: 'It is the key of something else.' });
  }

  async function find(name: string, signal: AbortSignal): Promise<z.output<typeof key> | null> {
    try {
      return await read({ operation: 'ReadKey', entity: name, method: 'GET', path: `/keys/${name}` }, key, signal);
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  return {
    provision: async (handle, { scopes }, expiry, attempt) => {
      const name = nameOf(handle, attempt);
      const { fence, deployment, leaseId: lease } = attempt;
      // Look before you create: an attempt before this one may have made it, and its answer may have got lost.
      const found = await look(name, attempt, fence.signal);
      const body = { name, scopes, deployment, lease, expires_at: expiry.toISOString() };
      const made =
        found === null
          ? await change({ operation: 'CreateKey', entity: name, method: 'POST', path: '/keys', body }, secret, fence)
          : // A secret that nobody holds is replaced: exactly one lives afterwards.
            await change(
              { operation: 'ReplaceSecret', entity: name, method: 'POST', path: `/keys/${name}/secret`, body },
              secret,
              fence,
            );
      return { credential: { KEY: made.secret }, usableAt: new Date(), facts: { name }, notes: [] };
    },

    extend: async (handle, expiry, attempt) => {
      const name = nameOf(handle, attempt);
      if ((await look(name, attempt, attempt.fence.signal)) === null) {
        throw failure('NotFound', { operation: 'ReadKey', entity: name }, {});
      }
      const body = { expires_at: expiry.toISOString() };
      await change(
        { operation: 'ExtendKey', entity: name, method: 'PATCH', path: `/keys/${name}`, body },
        z.unknown(),
        attempt.fence,
      );
    },

    // The service gives no key another name. One that did would be asked by an id among the facts, the third argument.
    deprovision: async (handle, attempt) => {
      const name = nameOf(handle, attempt);
      const { fence } = attempt;
      if ((await look(name, attempt, fence.signal)) === null) return { result: 'absent' };
      try {
        await change(
          { operation: 'DeleteKey', entity: name, method: 'DELETE', path: `/keys/${name}` },
          z.unknown(),
          fence,
        );
      } catch (error) {
        // Somebody else was quicker, so that it was not our own delete.
        if (isNotFound(error)) return { result: 'absent' };
        throw error;
      }
      if ((await look(name, attempt, fence.signal)) === null) return { result: 'removed' };
      throw failure('Unavailable', { operation: 'DeleteKey', entity: name }, { hint: 'The key is still there.' });
    },

    list: async (cursor, signal) => {
      const prefix = settings.name_prefix;
      const query = new URLSearchParams({ prefix: `${prefix}-`, ...(cursor === null ? {} : { after: cursor }) });
      const { keys, next } = await read(
        { operation: 'ListKeys', method: 'GET', path: `/keys?${query.toString()}` },
        page,
        signal,
      );
      return {
        entities: keys.map(({ name, created_at: createdAt }) => {
          return { entity: name, mark: parseEntityName(prefix, name), handle: { name }, createdAt: instant(createdAt) };
        }),
        next,
      };
    },

    readMarks: async (handle, signal) => {
      const found = await find(String(handle['name']), signal);
      if (found === null) return null;
      return { deployment: found.deployment, leaseId: found.lease, expiresAt: instant(found.expires_at) };
    },

    quota: async (signal) => quotaOf(await read(SELF, self, signal)),

    check: async (signal) => {
      const found = await read(SELF, self, signal);
      return {
        identity: found.name,
        missingRights: RIGHTS.filter((right) => !found.rights.includes(right)),
        untriedRights: [],
        quota: quotaOf(found),
        notes: [],
      };
    },

    // fetch keeps its own connections.
    close: () => undefined,
  };
}

const SELF = { operation: 'ReadSelf', method: 'GET', path: '/self' } as const;

function quotaOf({ used, limit }: z.output<typeof self>): { what: string; used: number; limit: number } {
  return { what: 'keys of the key service', used, limit };
}

/** The handle comes from a history: it must be a handle of ours, and of this lease. */
function nameOf({ name }: Handle, { deployment, leaseId }: Attempt): string {
  if (typeof name === 'string' && name.endsWith(`-${deployment}-${leaseId}`)) return name;
  throw failure('Refused', { operation: 'ReadKey' }, { hint: 'The handle is not of this lease.' });
}

function typeOf(status: number, code: string | undefined): ProviderErrorType {
  if (code === 'quota_exceeded') return 'QuotaExceeded';
  if (status === 401 || status === 403) return 'Refused';
  if (status === 404) return 'NotFound';
  if (status === 429) return 'Throttled';
  // 409: an earlier attempt made it after we looked. The next attempt looks again, and finds it.
  return status === 400 || status === 422 ? 'InvalidInput' : 'Unavailable';
}

function failure(
  type: ProviderErrorType,
  { operation, entity }: { readonly operation: string; readonly entity?: string },
  facts: Omit<IntegrationError['facts'], 'operation' | 'entity'>,
): IntegrationError {
  return new IntegrationError(type, { operation, ...(entity === undefined ? {} : { entity }), ...facts });
}

function isNotFound(error: unknown): boolean {
  return error instanceof IntegrationError && error.type === 'NotFound';
}

function instant(text: string | null): Date | null {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? null : new Date(time);
}
