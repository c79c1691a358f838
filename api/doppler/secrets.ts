import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Lease } from '../../client/leases';
import { quote } from '../../workflows/quote';
import { errorBody } from '../../client/wire';
import type { ApiDeps } from '../deps';
import { refusal } from '../errors';
import { identityOf, requireRight, tokenHashOf } from '../request';
import { recordDelivery } from './delivered';
import { fingerprintOf } from './downloads';
import type { Downloads } from './downloads';
import type { Flights } from './flights';
import { flatten } from '../../flat/flatten';
import { FORMAT_NAMES, impliedTransformer } from '../../flat/format-names';
import { FORMATS } from '../../flat/formats';
import { checkTtl, issueTogether } from './issue';
import type { Leased } from './issue';
import { findPlace, mayHoldDynamicSecrets } from '../place';
import type { Place } from '../place';
import { dynamicQuery, readBoolean, readTtlMs, whereQuery } from './query';
import { ownersOf, select } from './selection';
import type { Selection } from './selection';
import { readStatics } from '../static-secrets';
import { SameNameError, transformNames, TRANSFORMERS } from '../../flat/transformers';
import type { Transformer } from '../../flat/transformers';

/** What the routes of secrets share. */
export interface Shared {
  readonly flights: Flights<Leased>;
  readonly downloads: Downloads;
  /** @throws ApiError 502 if Temporal does not answer. */
  readonly reachTemporal: () => Promise<void>;
}

const TTL = 'dynamic_secrets_ttl_sec';

const downloadQuery = whereQuery.extend(dynamicQuery.shape).extend({
  format: z.enum(FORMAT_NAMES).default('json'),
  name_transformer: z.enum(['', ...(Object.keys(TRANSFORMERS) as Transformer[])]).default(''),
});
const secretsQuery = whereQuery.extend(dynamicQuery.shape);
const namesQuery = whereQuery.extend({ include_dynamic_secrets: dynamicQuery.shape.include_dynamic_secrets });
const secretQuery = whereQuery.extend({
  name: z
    .string()
    .max(200)
    .meta({ examples: ['LOG_LEVEL'] }),
});

const valueType = z.object({ type: z.string() });
const valueBody = z.object({
  raw: z.string().nullable().describe('Null: of a dynamic secret that is not leased by this request.'),
  computed: z.string().nullable(),
  note: z.string(),
  rawVisibility: z.string(),
  computedVisibility: z.string(),
  rawValueType: valueType,
  computedValueType: valueType,
});
const secretsBody = z.object({ success: z.literal(true), secrets: z.record(z.string(), valueBody) });
const namesBody = z.object({ success: z.literal(true), names: z.array(z.string()) });
const secretBody = z.object({ success: z.literal(true), name: z.string(), value: valueBody });
export const failures = { '4xx': errorBody, '5xx': errorBody };

/** Secrets of a config, static and, on demand, freshly leased. There is no HEAD of what leases: nobody would get the leases. */
export function secretsRoutes(app: FastifyInstance, deps: ApiDeps, shared: Shared): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const failsAs403 = (request: FastifyRequest): boolean => mayHoldDynamicSecrets(deps, request);

  routes.get(
    '/v3/configs/config/secrets/download',
    {
      schema: {
        tags: ['Doppler'],
        summary: 'Download the secrets of a config in a format for programs, and lease what is dynamic where asked to',
        querystring: downloadQuery,
        response: { 200: z.string(), ...failures },
      },
      config: { mayLease: true, failsAs403 },
      exposeHeadRoute: false,
    },
    async (request, reply) => {
      const { format, name_transformer: transformer, ...query } = request.query;
      const wanted = readWanted(deps, request, query);
      const { statics, dynamics } = wanted.selection;
      const names = [...statics, ...(wanted.isLeasing ? [...dynamics.values()].flat() : [])].sort();
      const transformed = rename(names, transformer === '' ? impliedTransformer(format) : transformer);
      const values = await readValues(deps, request, reply, shared, wanted);
      const secrets = new Map(names.map((name) => [transformed.get(name) ?? name, values.get(name) ?? '']));
      return reply.type(FORMATS[format].type).send(FORMATS[format].write(secrets));
    },
  );

  routes.get(
    '/v3/configs/config/secrets',
    {
      schema: {
        tags: ['Doppler'],
        summary: 'Read the secrets of a config, and lease what is dynamic where asked to',
        querystring: secretsQuery,
        response: { 200: secretsBody, ...failures },
      },
      config: { mayLease: true, failsAs403: (request) => mayInclude(request) && failsAs403(request) },
      exposeHeadRoute: false,
    },
    async (request, reply) => {
      const wanted = readWanted(deps, request, request.query);
      const { statics, dynamics } = wanted.selection;
      const isListed = request.query.secrets === undefined || request.query.secrets === '';
      if (!wanted.isLeasing && !isListed) refuseDynamic([...dynamics.keys()]);
      const values = await readValues(deps, request, reply, shared, wanted);
      const names = [...statics, ...[...dynamics.values()].flat()].sort();
      const secrets = Object.fromEntries(names.map((name) => [name, describe(values.get(name) ?? null)]));
      return reply.send({ success: true, secrets });
    },
  );

  routes.get(
    '/v3/configs/config/secrets/names',
    {
      schema: {
        tags: ['Doppler'],
        summary: 'List the names of the secrets of a config',
        querystring: namesQuery,
        response: { 200: namesBody, ...failures },
      },
    },
    (request) => {
      const { place, isLeasing } = readPlace(deps, request, request.query);
      const { statics, dynamics } = select(place, undefined);
      const names = [...statics, ...(isLeasing ? [...dynamics.values()].flat() : [])].sort();
      return { success: true as const, names };
    },
  );

  routes.get(
    '/v3/configs/config/secret',
    {
      schema: {
        tags: ['Doppler'],
        summary: 'Read one static secret',
        querystring: secretQuery,
        response: { 200: secretBody, ...failures },
      },
    },
    (request) => {
      const { name } = request.query;
      const { place } = readPlace(deps, request, { ...request.query, include_dynamic_secrets: 'false' });
      const owner = ownersOf(place.settings).get(name);
      if (owner !== undefined) refuseDynamic([owner]);
      if (!Object.hasOwn(place.settings.secrets, name)) {
        throw refusal(404, 'not_found', `${place.project}/${place.config} has no secret ${quote(name)}.`, {
          field: 'name',
        });
      }
      const value = readStatics(place, [name]).get(name) ?? null;
      return { success: true as const, name, value: describe(value) };
    },
  );
}

interface Wanted {
  readonly place: Place;
  readonly selection: Selection;
  /** Whether dynamic secrets are to be leased. */
  readonly isLeasing: boolean;
  readonly ttlMs: number | null;
}

function readPlace(
  deps: ApiDeps,
  request: FastifyRequest,
  query: z.output<typeof namesQuery>,
): Pick<Wanted, 'place' | 'isLeasing'> {
  const identity = identityOf(request);
  const place = findPlace(deps.config(), identity, query);
  requireRight(identity, 'read');
  return { place, isLeasing: readBoolean(query.include_dynamic_secrets, 'include_dynamic_secrets') };
}

/** All that can be refused before anything is begun. */
function readWanted(deps: ApiDeps, request: FastifyRequest, query: z.output<typeof secretsQuery>): Wanted {
  const { place, isLeasing } = readPlace(deps, request, query);
  const written = query[TTL];
  const ttlMs = written === undefined ? null : readTtlMs(written, TTL);
  const selection = select(place, query.secrets);
  const names = [...selection.dynamics.keys()];
  checkTtl({ place, names, ttlMs }, TTL);
  if (isLeasing && names.length > 0) requireRight(identityOf(request), 'lease');
  return { place, selection, isLeasing, ttlMs };
}

/** Values by name. Static ones are read first: what is not there is told before anything is leased. */
async function readValues(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  shared: Shared,
  { place, selection, isLeasing, ttlMs }: Wanted,
): Promise<ReadonlyMap<string, string>> {
  const { flights, downloads } = shared;
  const identity = identityOf(request);
  const { tokenId, holder } = identity;
  const { project, config } = place;
  const fingerprint = fingerprintOf(place.settings);
  const values = new Map(readStatics(place, selection.statics));
  const names = isLeasing ? [...selection.dynamics.keys()] : [];
  const leased: Leased =
    names.length === 0
      ? new Map<string, Lease>()
      : await flights.board({
          key: keyOf(request, [holder, project, config, ...names]),
          response: reply.raw,
          depart: (signal) => issueTogether(deps, shared, { place, identity, names, ttlMs }, signal),
          handOver: (cargo) => recordDelivery(deps, request, place, cargo),
        });
  for (const [name, lease] of leased) for (const [flat, value] of flatten(name, lease)) values.set(flat, value);
  downloads.record({ tokenId, holder, source: request.ip, project, config }, fingerprint, [...leased.values()]);
  return values;
}

/** What the repetitions of a request have in common. */
function keyOf(request: FastifyRequest, wanted: readonly string[]): string {
  return JSON.stringify([tokenHashOf(request), request.ip, request.method, request.url, ...wanted]);
}

/** @throws ApiError 400: Doppler's CLI would show nothing at all, and the caller would take that for the value. */
function refuseDynamic([name]: readonly string[]): void {
  if (name === undefined) return;
  throw refusal(
    400,
    'invalid_input',
    `${name} is a dynamic secret: it has a value only while it is leased. Use doppler run, doppler secrets download, or ask with include_dynamic_secrets=true.`,
  );
}

/** Doppler's CLI shows null as restricted. */
function describe(value: string | null): z.output<typeof valueBody> {
  const visibility = value === null ? 'restricted' : 'masked';
  return {
    raw: value,
    computed: value,
    note: '',
    rawVisibility: visibility,
    computedVisibility: visibility,
    rawValueType: { type: 'string' },
    computedValueType: { type: 'string' },
  };
}

/** Whether a request may want dynamic secrets: if it does not say so readably, it may. */
function mayInclude({ query }: FastifyRequest): boolean {
  const written = (query as Readonly<Record<string, unknown>> | undefined)?.['include_dynamic_secrets'] ?? '';
  try {
    return typeof written !== 'string' || readBoolean(written, 'include_dynamic_secrets');
  } catch {
    return true;
  }
}

/** @throws ApiError 400 if two become the same. */
function rename(names: readonly string[], transformer: Transformer | null): ReadonlyMap<string, string> {
  try {
    return transformNames(names, transformer);
  } catch (error) {
    if (!(error instanceof SameNameError)) throw error;
    throw refusal(400, 'invalid_input', error.message, { field: 'name_transformer' });
  }
}
