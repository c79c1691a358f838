import { connectHttpLeases } from '../../client/http';
import type { ConnectHttpLeasesOptions, HttpLeases } from '../../client/http';

export const TOKEN = 'lht.canary.secret-of-the-token';

/** A request as it was sent. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Leases of an API whose answers are these, one after the other, the last one for ever. */
export function leasesOf(
  answers: readonly (Response | Error)[],
  options: Partial<ConnectHttpLeasesOptions> = {},
): { readonly leases: HttpLeases; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const answering: typeof fetch = (url, init = {}) => {
    const { method = '', headers = {}, body } = init;
    asked.push({
      method,
      url: url as string,
      headers: headers as Record<string, string>,
      body: typeof body === 'string' ? JSON.parse(body) : null,
    });
    const answer = answers[Math.min(asked.length, answers.length) - 1]!;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer.clone());
  };
  return { leases: connectHttpLeases({ url: 'https://api.test/', token: TOKEN, fetch: answering, ...options }), asked };
}

export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

export function refusal(status: number, code: string, message = 'A sentence.', headers = {}): Response {
  return json({ success: false, messages: [message], code, request_id: 'r' }, status, headers);
}

/** An answer that goes on until all of what a small program may have is used up. @returns how many megabytes were taken of it. */
export function endless(status: number): { readonly response: Response; readonly sent: () => number } {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent += 1;
      if (sent > 64) controller.close();
      else controller.enqueue(new Uint8Array(1024 * 1024));
    },
  });
  return { response: new Response(body, { status }), sent: () => sent };
}
