import { createApi } from '../api/api';
import type { ApiDeps } from '../api/deps';
import { createMetrics } from '../telemetry/metrics';
import { allCodes, codesOf } from './http-codes';
import { exampleOf, fieldsOf, typeOf } from './http-schema';
import type { Schema } from './http-schema';
import { anchorOf, table } from './markdown';

/** As much of an OpenAPI document as is read here. */
export interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
  readonly example?: unknown;
}

type Content = Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;

interface Route extends Operation {
  readonly method: string;
  readonly path: string;
}

const DOPPLER = 'Doppler';
/** The description itself, which does not describe itself. */
const OPENAPI = '/v1/openapi.json';

const HEAD = `# HTTP reference

Every route of the HTTP API, with what it takes and what it answers: look here for a field, a status or a code. How these are meant to be used, and why some are as they are, is in
[The HTTP API](http-api.md); who may use them in [Access](access.md).

\`npm run docs\` writes this page from the routes themselves. Programs find the same at \`GET ${OPENAPI}\` (OpenAPI 3.1, open to everybody), all but the routes for Doppler's tools and those of the process.

The examples are for a shell that has the address of the API in \`LEASEHOLD_HOST\` and a token in \`LEASEHOLD_TOKEN\`, and where a name is needed, of a lease for instance, that in \`LEASE_ID\`,
\`REVOCATION_ID\`, \`BLOCK_ID\` or \`INTEGRATION_NAME\`. The token goes to curl by a pipe, since everybody on a machine can read what programs are started with:

<!-- not run: run by test/server/http-reference.test.ts -->

\`\`\`sh
auth() { printf 'Authorization: Bearer %s\\n' "$LEASEHOLD_TOKEN"; }
\`\`\`

Instants are ISO 8601 in UTC. What is not marked as needed may be left out, and answers may have more fields tomorrow.`;

/** The API's own description of all that it serves. Nothing is served, and nothing is asked. */
export async function describeAll(): Promise<Description> {
  const app = await createApi({ metrics: createMetrics() } as ApiDeps, {
    tls: null,
    settings: () => ({ trustProxy: [], requestsPerMinute: 1 }),
    isDescribed: () => true,
  });
  try {
    await app.ready();
    return app.swagger() as unknown as Description;
  } finally {
    await app.close();
  }
}

/** docs/http-reference.md. */
export function referenceOf({ paths, components }: Description): string {
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
  const groups = new Map<string, Route[]>();
  for (const route of routes) {
    const tag = route.tags?.[0] ?? 'other';
    groups.set(tag, [...(groups.get(tag) ?? []), route]);
  }
  const doppler = groups.get(DOPPLER) ?? [];
  groups.delete(DOPPLER);
  const own = [...groups.values()].flat();
  return (
    [
      HEAD,
      '## Routes',
      table(['route', 'what'], own.map(lineOf)),
      `and [those of Doppler's tools](#${anchorOf(DOPPLER_HEADING)}).`,
      ...[...groups].flatMap(([tag, each]) => [`## ${capital(tag)}`, ...each.flatMap(sectionOf)]),
      ...dopplerPart(doppler),
      ...shapes(components.schemas),
      ...codes(),
    ].join('\n\n') + '\n'
  );
}

const DOPPLER_HEADING = 'For Doppler’s tools';

function dopplerPart(routes: readonly Route[]): readonly string[] {
  const offered = routes.filter(isOffered);
  const refused = routes.filter((route) => !isOffered(route));
  return [
    `## ${DOPPLER_HEADING}`,
    "What Doppler's command line and SDKs ask for, in their words: see [With Doppler's tools](http-api.md#with-dopplers-tools). For a program of your own take the routes above. " +
      'Errors are those of [Error](#error), with the codes [below](#codes); where a download of a config with dynamic secrets fails, 403 stands for all statuses but 401 and 404.',
    table(['route', 'what'], offered.map(lineOf)),
    ...offered.flatMap(sectionOf),
    '### What is not offered',
    'is refused, with a sentence that says what to do instead:',
    table(
      ['route', 'status', 'why'],
      refused.map((route) => [
        `\`${titleOf(route)}\``,
        Object.keys(route.responses)
          .filter((status) => /^\d+$/.test(status))
          .join(', ') || '405',
        (route.summary ?? '').replace(/^Not offered: /, ''),
      ]),
    ),
  ];
}

/** Whether there is anything but a refusal. */
function isOffered({ responses }: Route): boolean {
  return Object.keys(responses).some((status) => status.startsWith('2'));
}

function titleOf({ method, path }: Route): string {
  return `${method} ${path}`;
}

function lineOf(route: Route): readonly string[] {
  return [`[\`${titleOf(route)}\`](#${anchorOf(titleOf(route))})`, route.summary ?? ''];
}

function sectionOf(route: Route): readonly string[] {
  const { summary = '', description, parameters = [], requestBody } = route;
  const said = [`${summary}.`, ...(description === undefined ? [] : [description])].join(' ');
  const body = requestBody?.content['application/json']?.schema;
  return [
    `### ${titleOf(route)}`,
    said,
    ...(parameters.length === 0
      ? []
      : [
          table(
            ['parameter', 'in', 'needed', 'type', 'meaning'],
            parameters.map(({ name, in: place, required, schema, description: meaning = '' }) => [
              `\`${name}\``,
              place,
              required === true ? 'yes' : '',
              typeOf(schema),
              meaning,
            ]),
          ),
        ]),
    ...(body === undefined ? [] : bodyPart(body, requestBody?.required !== false)),
    ...answersPart(route),
    exampleOfRoute(route),
  ];
}

function bodyPart(body: Schema, isRequired: boolean): readonly string[] {
  const note = body.description === undefined ? '' : ` ${body.description}`;
  return [
    `The body${isRequired ? '' : ', which may be left out'}:${note}`,
    table(
      ['field', 'needed', 'type', 'meaning'],
      fieldsOf(body).map(({ name, isRequired: needed, type, meaning }) => [
        `\`${name}\``,
        needed ? 'yes' : '',
        type,
        meaning,
      ]),
    ),
  ];
}

function answersPart({ operationId, responses }: Route): readonly string[] {
  const good = Object.entries(responses).filter(([status]) => /^[25]\d\d$/.test(status) && status !== '502');
  const bad = Object.entries(responses).filter(([status]) => /^4\d\d$|^502$/.test(status));
  const errors = bad.map(([status]) => {
    const codes = codesOf(operationId ?? '', Number(status)).map((code) => `\`${code}\``);
    return [status, ...(codes.length === 0 ? [] : [codes.join(', ')])].join(' ');
  });
  return [
    ...good.flatMap(([status, { description, content = {} }]) => answerPart(status, description, content)),
    ...(errors.length === 0 ? [] : [`Errors ([codes](#codes)): ${errors.join('; ')}.`]),
  ];
}

function answerPart(status: string, description: string, content: Content): readonly string[] {
  const [media] = Object.values(content);
  const told = description === 'Default Response' ? '' : ` ${description}`;
  if (media === undefined) return [`Answers **${status}**.${told}`];
  const fields = fieldsOf(media.schema);
  const type = typeOf(media.schema);
  if (fields.length === 0) return [`Answers **${status}**, ${type === 'object' ? 'an object' : type}.${told}`];
  return [
    `Answers **${status}**.${told}`,
    table(
      ['field', 'type', 'meaning'],
      fields.map(({ name, isRequired, type: kind, meaning }) => [
        `\`${name}\``,
        isRequired ? kind : `${kind}; may be missing`,
        meaning,
      ]),
    ),
  ];
}

/** What stands for the values of parameters that nobody can know beforehand. */
const VARIABLES: Readonly<Record<string, string>> = { slug: '$LEASE_ID' };

/** A command that works as it stands, given what the page says. */
function exampleOfRoute({ method, path, security, parameters = [], requestBody }: Route): string {
  const address = path.replaceAll(/\/([a-z]+)s\/\{([a-z_]+)\}/g, (_, thing: string, name: string) => {
    const variable = name.startsWith(thing) ? name : `${thing}_${name}`;
    return `/${thing}s/$${variable.toUpperCase()}`;
  });
  const given = parameters.filter(({ example }) => example !== undefined);
  const query = given
    .filter(({ in: place }) => place === 'query')
    .map(({ name, example }) => `${name}=${VARIABLES[name] ?? encodeURIComponent(String(example))}`);
  const headers = given
    .filter(({ in: place }) => place === 'header')
    .map(
      ({ name, example }) =>
        `-H '${name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase())}: ${String(example)}'`,
    );
  const media = requestBody?.content['application/json'];
  const body = media === undefined ? undefined : exampleOf(media);
  const hasBody = body !== undefined;
  const words = [
    // Arguments can be read by everybody on a machine.
    ...(security?.length === 0 ? [] : ['auth |']),
    // Without -N curl would hold back what a stream says.
    path.endsWith('/watch') ? 'curl -sSN' : 'curl -sS',
    ...(method === (hasBody ? 'POST' : 'GET') ? [] : [`-X ${method}`]),
    ...(security?.length === 0 ? [] : ['-H @-']),
    ...headers,
    ...(hasBody ? ["-H 'Content-Type: application/json'"] : []),
  ];
  const last = `"$LEASEHOLD_HOST${address}${query.length === 0 ? '' : `?${query.join('&')}`}"`;
  const command = hasBody
    ? `${words.join(' ')} \\\n  -d '${JSON.stringify(body)}' ${last}`
    : [...words, last].join(' ');
  return `<!-- not run: run by test/server/http-reference.test.ts -->\n\n\`\`\`sh\n${command}\n\`\`\``;
}

function shapes(schemas: Description['components']['schemas']): readonly string[] {
  return [
    '## Shapes',
    'What several routes take or answer.',
    ...Object.entries(schemas).flatMap(([name, schema]) => [
      `### ${name}`,
      ...(schema.description === undefined ? [] : [schema.description]),
      table(
        ['field', 'type', 'meaning'],
        fieldsOf(schema).map(({ name: field, isRequired, type, meaning }) => [
          `\`${field}\``,
          isRequired ? type : `${type}; may be missing`,
          meaning,
        ]),
      ),
    ]),
  ];
}

function codes(): readonly string[] {
  return [
    '## Codes',
    'Every error has the shape [Error](#error). Decide by its `code`, which stays as it is from release to release; how errors are meant is told in [Errors](http-api.md#errors).',
    table(
      ['status', 'code', 'meaning'],
      allCodes().map(({ status, code, meaning }) => [String(status), `\`${code}\``, meaning]),
    ),
  ];
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
