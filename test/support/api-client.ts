import type { BlockBody, BulkRevokeReportBody, CheckBody, ErrorBody, IntegrationBody } from '../../client/wire';
import type { ApiLab } from './api-lab';

/** Whatever the routes answer: a test looks at what it asked for. */
export type Body = ErrorBody &
  BulkRevokeReportBody &
  CheckBody & {
    readonly revocations: readonly BulkRevokeReportBody[];
    readonly blocks: readonly BlockBody[];
    readonly integrations: readonly IntegrationBody[];
  };

/** An answer of the API, read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** Asks the lab's API by the token of this name. */
export async function ask(
  lab: Pick<ApiLab, 'url' | 'tokens'>,
  token: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(lab.url + path, {
    method,
    headers: {
      authorization: `Bearer ${lab.tokens[token] ?? 'none'}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text) as Body };
}
