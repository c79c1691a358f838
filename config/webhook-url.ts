import { isReference, referenceSchema } from './reference';
import { isLocal } from './this-machine';

/** A reference, or a URL to which notices may be sent. */
export function isWebhookUrl(text: string): boolean {
  return isReference(text) ? referenceSchema.safeParse(text).success : mayTakeNotices(text);
}

/** Whether notices may be sent to a URL: nobody on the way may read its path, which is as good as a password. */
export function mayTakeNotices(text: string): boolean {
  if (!/^https?:\/\/[^\s\\\p{Cc}]+$/u.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password, hostname } = new URL(text);
  return username === '' && password === '' && (protocol === 'https:' || isLocal(hostname));
}

/**
 * What people call the webhooks: by the host of a literal URL, else by their place in the list. Of two at one host each has
 * its place too.
 */
export function nameWebhooks(urls: readonly string[]): readonly string[] {
  const hosts = urls.map((url) => (isReference(url) ? undefined : new URL(url).host));
  return hosts.map((host, index) => {
    const place = `webhook ${index + 1}`;
    if (host === undefined) return place;
    return hosts.indexOf(host) === hosts.lastIndexOf(host) ? host : `${host} (${place})`;
  });
}
