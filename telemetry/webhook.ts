import { createHmac } from 'node:crypto';
import { THIS_MACHINE } from '../config/this-machine';
import { mayTakeNotices } from '../config/webhook-url';

/** Where notices are sent. */
export interface Webhook {
  /** Its host or its number, for people. Never the path or the query of its URL, which are as good as a password. */
  readonly name: string;
  readonly url: string;
  readonly format: 'slack' | 'json';
  /** Signs what is sent: `whsec_<base64>`, or a text of at least 16 characters. */
  readonly secret: string | null;
}

/** Something that a person should know of. Holds nothing secret. */
export interface Notice {
  /** The same for each repeat, so that receivers can drop repeats by it. */
  readonly id: string;
  readonly kind: 'stuck' | 'recovered';
  readonly title: string;
  readonly text: string;
  /** ISO instant. */
  readonly at: string;
  readonly facts: Readonly<Record<string, string | number | null>>;
}

export interface SendOptions {
  readonly timeoutMs?: number;
  readonly now?: () => Date;
  readonly fetch?: typeof fetch;
}

/** Why a notice was not taken. `url` and `secret`: nothing was sent, as those of the webhook cannot be used. */
export type WebhookFailure = 'status' | 'redirect' | 'timeout' | 'unreachable' | 'secret' | 'url';

/** A notice that was not delivered. Never holds the URL, what was sent or what was answered. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';

  /**
   * @param webhook its name.
   * @param failure what kind of failure.
   * @param status the HTTP status, if there was an answer.
   */
  constructor(
    readonly webhook: string,
    readonly failure: WebhookFailure,
    readonly status: number | null = null,
  ) {
    super(`The webhook ${webhook} did not take a notice: ${describe(failure, status)}.`);
  }
}

const TIMEOUT_MS = 10_000;
const MIN_SECRET_LENGTH = 16;

/**
 * Sends a notice once. Only an answer of 2xx counts; redirects are not followed. With a secret it is signed as the Standard
 * Webhooks specification says.
 * @throws WebhookError if it was not taken.
 */
export async function sendNotice(webhook: Webhook, notice: Notice, options: SendOptions = {}): Promise<void> {
  if (!mayTakeNotices(webhook.url)) throw new WebhookError(webhook.name, 'url');
  const body = JSON.stringify(webhook.format === 'slack' ? { text: slackText(notice) } : jsonMessage(notice));
  const headers = {
    'content-type': 'application/json',
    ...signature(webhook, notice, options.now?.() ?? new Date(), body),
  };
  const signal = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  const response = await post(
    webhook,
    { method: 'POST', headers, body, redirect: 'manual', signal },
    options.fetch ?? fetch,
  );
  // What it says is of no use, and unread it would hold the connection.
  await response.body?.cancel().catch(() => undefined);
  if (response.ok) return;
  const isRedirect = response.status >= 300 && response.status < 400;
  throw new WebhookError(webhook.name, isRedirect ? 'redirect' : 'status', response.status);
}

/**
 * Whether notices can be sent to it at all, without sending one.
 * @throws WebhookError if its URL or its secret cannot be used.
 */
export function checkWebhook({ name, url, secret }: Webhook): void {
  if (!mayTakeNotices(url)) throw new WebhookError(name, 'url');
  if (secret !== null && keyOf(secret) === null) throw new WebhookError(name, 'secret');
}

async function post(
  webhook: Webhook,
  init: RequestInit & { signal: AbortSignal },
  send: typeof fetch,
): Promise<Response> {
  try {
    return await send(webhook.url, init);
  } catch {
    // Without its cause, which repeats the URL.
    throw new WebhookError(webhook.name, init.signal.aborted ? 'timeout' : 'unreachable');
  }
}

function jsonMessage({ id, kind, title, text, at, facts }: Notice): Notice {
  return { id, kind, title, text, at, facts };
}

function slackText({ title, text, facts }: Notice): string {
  const known = Object.entries(facts).filter(([, value]) => value !== null);
  return [title, text, ...known.map(([name, value]) => `${name}: ${String(value)}`)].map(escapeMrkdwn).join('\n');
}

/** Slack makes mentions and links of what stands in < >. */
function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function signature(webhook: Webhook, notice: Notice, now: Date, body: string): Record<string, string> {
  if (webhook.secret === null) return {};
  const key = keyOf(webhook.secret);
  if (key === null) throw new WebhookError(webhook.name, 'secret');
  const timestamp = Math.floor(now.getTime() / 1_000);
  const mac = createHmac('sha256', key).update(`${notice.id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': notice.id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${mac}` };
}

function keyOf(secret: string): Buffer | null {
  const base64 = /^whsec_(.*)$/s.exec(secret)?.[1];
  if (base64 === undefined) return secret.length < MIN_SECRET_LENGTH ? null : Buffer.from(secret);
  const key = Buffer.from(base64, 'base64');
  // Node reads past what is no base64, and would sign with another key than was meant.
  const isExact = key.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '');
  return isExact && key.byteLength >= MIN_SECRET_LENGTH ? key : null;
}

function describe(failure: WebhookFailure, status: number | null): string {
  switch (failure) {
    case 'status':
      return `it answered ${String(status)}`;
    case 'redirect':
      return `it answered ${String(status)}, a redirect, which is not followed. Give the address to which it leads`;
    case 'timeout':
      return 'it did not answer in time';
    case 'unreachable':
      return 'it cannot be reached';
    case 'secret':
      return `its secret cannot be used: it must be whsec_<base64> or a text, of at least ${MIN_SECRET_LENGTH} bytes`;
    case 'url':
      return `its URL cannot be used: it must be https://, or http:// to ${THIS_MACHINE}, without user and password`;
  }
}
