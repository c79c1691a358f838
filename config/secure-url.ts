import { isLocal } from './this-machine';

/** Said of an address at which credentials must not be read on the way. */
export const SECURE_URL = 'must be an https:// URL, or http:// to localhost, 127.0.0.1 or [::1]';

/** Whether nobody on the way can read what is sent to a URL and what it answers. Only http:// is judged. */
export function isSecureUrl(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { protocol, hostname } = new URL(text);
  return protocol !== 'http:' || isLocal(hostname);
}
