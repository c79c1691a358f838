/** What may be in an answer. Which of it is there, a test says by what it expects. */
export interface ApiBody {
  readonly lease_id: string;
  readonly expires_at: string;
  readonly credential: Readonly<Record<string, string>>;
  readonly sealed: string;
  readonly state: string;
  readonly leases: readonly ApiBody[];
  readonly next_cursor: string | null;
  readonly dynamic_secrets: readonly object[];
  readonly code: string;
  readonly messages: readonly string[];
  readonly field: string;
  readonly request_id: string;
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
}

/** An answer of the API. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ApiBody;
}

export interface ApiCall {
  readonly url: string;
  /** Null: none is sent. */
  readonly token: string | null | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Asks an API of a lab, with a token as Bearer and a body as JSON. */
export async function callApi(
  method: string,
  path: string,
  { url, token, body, headers, signal }: ApiCall,
): Promise<ApiAnswer> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(typeof token === 'string' ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: JSON.parse(text) as ApiBody };
}
