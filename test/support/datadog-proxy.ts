import type { IncomingMessage } from 'node:http';
import { routeOf } from '../../dev/datadog-emulator/requests';
import type { Operation } from '../../dev/datadog-emulator/routes';
import { startFaultProxy } from './fault-proxy';
import type { Answer, Dialect, FaultProxy, FaultProxyOptions, ProviderCall, WordedKind } from './fault-proxy';
import type { Fault } from './faults';

export interface DatadogCall extends ProviderCall {
  /** By the name of Datadog's clients, or `<method> <path>` for what they do not know. */
  readonly operation: string;
  /** Name of the key it is about: the one to be made, looked for or deleted, or the one it is authenticated with. */
  readonly entity: string | null;
  /** All that could come from a request for a lease. */
  readonly sent: string;
}

export type DatadogProxyOptions = FaultProxyOptions<DatadogCall>;
export type DatadogProxy = FaultProxy<DatadogCall>;

/** A key as Datadog shows it. */
interface Shown {
  readonly id?: string;
  readonly attributes?: { readonly name?: string; readonly key?: string };
}

/** Starts a proxy in front of the emulator. It knows the names only of keys that were made or listed through it. */
export async function startDatadogProxy(options: DatadogProxyOptions): Promise<DatadogProxy> {
  /** By the id of a key and by its value. */
  const names = new Map<string, string>();

  function learn({ body }: Answer): void {
    const { data } = fieldsOf(body.toString()) as { readonly data?: Shown | readonly Shown[] };
    for (const { id, attributes = {} } of [data ?? []].flat() as readonly Shown[]) {
      const { name, key } = attributes;
      if (name === undefined) continue;
      for (const known of [id, key]) if (known !== undefined) names.set(known, name);
    }
  }

  function entityOf(request: IncomingMessage, url: URL, body: Buffer): string | null {
    const { data } = fieldsOf(body.toString()) as { readonly data?: Shown };
    const mentioned = [
      url.pathname.split('/').at(-1),
      header(request, 'dd-application-key'),
      header(request, 'dd-api-key'),
    ];
    return (
      data?.attributes?.name ??
      url.searchParams.get('filter') ??
      mentioned.map((text) => names.get(text ?? '')).find((name) => name !== undefined) ??
      null
    );
  }

  const dialect: Dialect<DatadogCall> = {
    describe: (request, body) => {
      const url = new URL(request.url ?? '/', 'http://proxy');
      return {
        operation: routeOf(request.method, url.pathname)?.operation ?? `${request.method ?? ''} ${url.pathname}`,
        entity: entityOf(request, url, body),
        sent: [url.pathname, ...url.searchParams.values(), body.toString()].join('\n'),
        at: new Date(),
        fault: null,
        status: null,
      };
    },
    answer: async (_, forward) => {
      const given = await forward();
      learn(given);
      return given;
    },
    refuse,
    echo: (answer, text) => {
      const { errors } = fieldsOf(answer.body.toString());
      if (!Array.isArray(errors)) return answer;
      const repeated = errors.map(
        (error: unknown) => `${typeof error === 'string' ? error : JSON.stringify(error)} ${text}`,
      );
      return { ...answer, body: JSON.stringify({ errors: repeated }) };
    },
  };
  return startFaultProxy(dialect, options);
}

/** What a Datadog that does not show a key yet says to these, beside which a 404 would be about something else. */
const NOT_SHOWN: Readonly<Partial<Record<Operation, Answer>>> = {
  ListAPIKeys: json(200, { data: [], meta: { max_allowed: 50, page: { total_filtered_count: 0 } } }),
  ...Object.fromEntries(
    (
      [
        'ListApplicationKeys',
        'ListCurrentUserApplicationKeys',
        'ListServiceAccountApplicationKeys',
      ] satisfies Operation[]
    ).map((operation) => [
      operation,
      json(200, { data: [], meta: { max_allowed_per_user: 1_000, page: { total_filtered_count: 0 } } }),
    ]),
  ),
  Validate: error(403, 'Forbidden'),
  ValidateV2: error(403, 'Forbidden'),
  ValidateAPIKey: error(403, 'Forbidden'),
};

function refuse(fault: Fault & { readonly kind: WordedKind }): Answer {
  switch (fault.kind) {
    case '500-before':
    case '500-after':
      return error(500, 'Internal Server Error');
    case 'throttle': {
      const reset = String(fault.retryAfterSeconds ?? 1);
      const throttled = error(429, 'Too many requests');
      const limit = { 'x-ratelimit-limit': '100', 'x-ratelimit-period': '10', 'x-ratelimit-remaining': '0' };
      return { ...throttled, headers: { ...throttled.headers, ...limit, 'x-ratelimit-reset': reset } };
    }
    case 'not-found':
      return (
        NOT_SHOWN[fault.operation as Operation] ??
        error(404, `${fault.operation.endsWith('ApplicationKey') ? 'Application' : 'API'} key not found`)
      );
    case 'error':
      return error(fault.status ?? 400, fault.code ?? 'Invalid request');
  }
}

function error(status: number, sentence: string): Answer {
  return json(status, { errors: [sentence] });
}

function json(status: number, body: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** Of a JSON object; nothing of anything else. */
function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
