import { isIP } from 'node:net';
import { z } from 'zod';

/** How the HTTP API is served. Where it listens is said by LEASEHOLD_API. */
export interface ApiSettings {
  /** Files in PEM; null: plain HTTP. */
  readonly tls: { readonly certificate: string; readonly key: string } | null;
  /** Addresses and networks of proxies whose X-Forwarded-For is believed. */
  readonly trustProxy: readonly string[];
  /** For each token, or holder of an OIDC issuer. */
  readonly requestsPerMinute: number;
}

const path = z.string().regex(/^\/[^\0]+$/, 'must be an absolute path');

export const apiSchema = z.strictObject({
  tls: z.strictObject({ certificate: path, key: path }).nullish(),
  trust_proxy: z.preprocess(
    (value) => value ?? [],
    z.array(z.string().refine(isNetwork, 'must be an IP address or a network such as 10.0.0.0/8')),
  ),
  requests_per_minute: z.int().min(1).max(1_000_000).default(600),
});

export function buildApi({ tls, trust_proxy, requests_per_minute }: z.output<typeof apiSchema>): ApiSettings {
  return { tls: tls ?? null, trustProxy: trust_proxy, requestsPerMinute: requests_per_minute };
}

function isNetwork(text: string): boolean {
  const [, address = '', , bits] = /^([^/]*)(\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0 || address.includes('%')) return false;
  // A network of 0 bits is everybody.
  return bits === undefined || (Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128));
}
