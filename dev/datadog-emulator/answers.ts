export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Datadog words its errors as plain sentences or, at newer endpoints, as JSON:API error objects. */
export type ErrorStyle = 'sentences' | 'json-api';

/** Ends the handling of a request with an error answer. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'Refused';
  }
}

export function json(status: number, body: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

export function noContent(): Answer {
  return { status: 204, headers: { 'content-type': 'text/html; charset=utf-8' }, body: '' };
}

export function errorAnswer({ status, message }: Refused, style: ErrorStyle): Answer {
  const error = style === 'sentences' ? message : { title: 'Error', detail: message, status: String(status) };
  const type = style === 'sentences' ? 'application/json' : 'application/vnd.api+json';
  return { ...json(status, { errors: [error] }), headers: { 'content-type': type } };
}

/** Says the same for a missing key, a wrong one and a missing right. */
export function forbidden(): Refused {
  return new Refused(403, 'Forbidden');
}
