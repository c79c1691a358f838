/** OpenBao did not do what it was asked. The message says what, and what it said. */
export class OpenBaoError extends Error {
  override readonly name = 'OpenBaoError';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export interface OpenBaoApi {
  /** Used from now on. It is in memory alone. */
  login(token: string): void;
  /** Answers what it answered. @throws OpenBaoError */
  call(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<unknown>;
  /** Whether it is unsealed and takes requests. False if it does not answer. */
  isActive(): Promise<boolean>;
  /** Whether it answers at all, sealed or not. @throws if it does not. */
  answers(): Promise<boolean>;
}

/** More than any call takes that succeeds: a provider that is away is waited for by OpenBao itself. */
const ANSWER_WITHIN_MS = 120_000;
const LONGEST_REASON = 300;

/** Over connections that stay open. */
export function openBaoApi(url: string): OpenBaoApi {
  let token: string | null = null;
  const send = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${url}/v1/${path}`, {
      method,
      headers: { ...(token === null ? {} : { 'x-vault-token': token }), 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
  const health = async (): Promise<number> => {
    const response = await send('GET', 'sys/health');
    await response.arrayBuffer();
    return response.status;
  };
  return {
    login: (next) => {
      token = next;
    },
    call: async (method, path, body) => {
      const response = await send(method, path, body);
      const text = await response.text();
      if (response.ok) return text === '' ? null : parse(text, method, path, response.status);
      const reason = text.replaceAll(/\s+/g, ' ').slice(0, LONGEST_REASON);
      throw new OpenBaoError(response.status, `OpenBao answered ${response.status} to ${method} ${path}: ${reason}`);
    },
    isActive: async () => {
      try {
        return (await health()) === 200;
      } catch {
        return false;
      }
    },
    answers: async () => (await health()) > 0,
  };
}

/** @throws OpenBaoError which does not quote the answer: a credential may be in it. */
function parse(text: string, method: string, path: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new OpenBaoError(status, `OpenBao answered ${status} to ${method} ${path}, and not with JSON.`);
  }
}
