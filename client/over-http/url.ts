import { invalid } from '../refusals';

/**
 * The address of a Leasehold API as it is compared with others: without what it may be written with or without.
 * @throws LeaseError `InvalidInput` if it can be none.
 */
export function checkUrl(text: unknown): string {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
  const fits =
    url !== null &&
    ['http:', 'https:'].includes(url.protocol) &&
    [url.username, url.password, url.search, url.hash].every((part) => part === '');
  if (!fits)
    throw invalid('url', 'must be an address such as https://leasehold.internal, without credentials or query');
  return url.origin + url.pathname.replace(/\/+$/, '');
}
