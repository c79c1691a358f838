import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { errorBody } from '../client/wire';

const PREFIX = '/v1/';
/** Of what is described: something was added, or (before the first point) something changed that clients see. */
const VERSION = '1.0.0';

const WHY = {
  400: 'Something in the request is not what is expected; `field` says what.',
  401: 'No valid token was sent.',
  403: 'The token lacks the right for this.',
  404: 'There is no such thing, or it is none of the token’s.',
  409: 'The state of things does not allow it; `code` says why.',
  413: 'The body is too large.',
  415: 'The body is no JSON.',
  429: 'Too many requests, or a limit or quota is reached. `Retry-After` says when to try again.',
  502: 'Temporal, a worker or the provider did not do its part.',
} as const;

export type ErrorStatus = keyof typeof WHY;

interface Described {
  readonly description: string;
  readonly content: Readonly<Record<'application/json', { readonly schema: z.ZodType }>>;
}

/** One answer of a route. */
export function answer(description: string, schema: z.ZodType): Described {
  return { description, content: { 'application/json': { schema } } };
}

/** The errors of a route. Every one that has a token may answer 400, 401 and 429. */
export function errors(...statuses: readonly ErrorStatus[]): Readonly<Record<string, Described>> {
  return Object.fromEntries(
    [400 as const, 401 as const, 429 as const, ...statuses].map((status) => [
      String(status),
      answer(WHY[status], errorBody),
    ]),
  );
}

/** The errors of a route that asks nobody who he is. */
export function openErrors(): Readonly<Record<string, Described>> {
  return { 429: answer(WHY[429], errorBody) };
}

/** What is written about a route under /v1, beside its schemas. */
export interface About {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
}

/** Whether a route is ours to describe to others' programs: what is not under /v1 is Doppler's, or for those who run the process. */
export function isOurs(url: string): boolean {
  return url.startsWith(PREFIX);
}

/** Describes every route that is made from now on and is one of these. */
export async function describeApi(app: FastifyInstance, isDescribed: (url: string) => boolean): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Leasehold',
        version: VERSION,
        description:
          'Leases of one-off credentials. Every error has the same body; a program decides by its `code`. Instants are ISO 8601 in UTC.',
      },
      servers: [{ url: '/' }],
      security: [{ bearer: [] }, { basic: [] }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'A token, as "leasehold token create" prints it.' },
          basic: { type: 'http', scheme: 'basic', description: 'The token as the user name; the password is ignored.' },
        },
      },
    },
    transform: (document) =>
      isDescribed(document.url)
        ? toSchemas(document)
        : { schema: { ...document.schema, hide: true }, url: document.url },
    transformObject: (document) => tidy(toComponents(document)),
  });
}

interface Shown {
  readonly zodSchema: { readonly _zod: { readonly def: { readonly type: string; readonly catchall?: unknown } } };
  readonly jsonSchema: { format?: string; pattern?: string; additionalProperties?: unknown };
}

const zodToJsonConfig = {
  override: ({ zodSchema, jsonSchema }: Shown) => {
    // The format says it all; what is a date in words of a pattern is longer than the rest.
    if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
    // What answers have more tomorrow must not break who checks them today.
    const { type, catchall } = zodSchema._zod.def;
    if (type === 'object' && catchall === undefined) delete jsonSchema.additionalProperties;
  },
};
const toSchemas = createJsonSchemaTransform({ zodToJsonConfig });
const toComponents = createJsonSchemaTransformObject({ zodToJsonConfig });

interface Document {
  readonly paths?: Readonly<Record<string, { readonly post?: { readonly requestBody?: Body } }>>;
  readonly components?: { readonly schemas?: Record<string, unknown> };
}

interface Body {
  required?: boolean;
  readonly content: Readonly<Record<string, { readonly schema: { readonly anyOf?: readonly Choice[] } }>>;
}

interface Choice {
  readonly type?: unknown;
}

/** What the generator cannot say or says too much. */
function tidy<T>(document: T): T {
  const { paths = {}, components } = document as Document;
  for (const { post } of Object.values(paths)) if (post?.requestBody !== undefined) freeBody(post.requestBody);
  const text = JSON.stringify(document);
  const schemas = components?.schemas ?? {};
  for (const name of Object.keys(schemas)) {
    if (!text.includes(`"#/components/schemas/${name}"`)) Reflect.deleteProperty(schemas, name);
  }
  return document;
}

/** A body that may be null may be left out. */
function freeBody(body: Body): void {
  const choices = body.content['application/json']?.schema.anyOf ?? [];
  if (choices.some(({ type }) => type === 'null')) body.required = false;
}
