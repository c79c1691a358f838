import { z } from 'zod';
import { referenceSchema } from '../../../config/reference';
import { secureEndpoints } from '../../../config/secure-url';
import { MARK_LENGTH } from '../entity-name';
import { KEY_CHOICES } from './kinds';
import { SITES } from './sites';

/** Datadog documents no limit of a key's name. So much is known to be kept. */
const MAX_NAME = 64;
const MAX_PREFIX = MAX_NAME - MARK_LENGTH;

const endpoint = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
  .refine(isBare, 'must hold no user, password, path, query or fragment');

/** Settings of an integration of type `datadog`. */
export const datadogConnection = z
  .strictObject({
    /** Decides where Datadog is spoken to, and is what holders get as SITE. */
    site: z.enum(SITES, `must be one of Datadog's sites: ${SITES.join(', ')}`).default('datadoghq.com'),
    /** Where Datadog's API is spoken to instead of the site's own address, for emulators and private endpoints. */
    endpoint: endpoint.optional(),
    /** Lets it be http:// on another machine, for emulators: whoever is on the way reads both keys. */
    insecure_http: z.boolean().optional(),
    /** The orchestrator's own keys. */
    api_key: referenceSchema,
    app_key: referenceSchema,
    /**
     * The kinds of key that may be leased here. Only these need permissions and are looked for by the sweep, and only with
     * API keys among them does their quota hold leases back.
     */
    keys: z.enum(KEY_CHOICES, 'must be both, api or application').default('both'),
    name_prefix: z
      .string()
      .regex(
        /^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/,
        'must be made of A-Z a-z 0-9 _ . - only, and begin and end with a letter or digit',
      )
      .max(
        MAX_PREFIX,
        `must be at most ${MAX_PREFIX} characters, so that the whole name of a key stays within ${MAX_NAME}`,
      )
      .default('leasehold'),
  })
  // The orchestrator's own keys go there with each call.
  .check(secureEndpoints({ fields: ['endpoint'], own: SITES }));

export type DatadogConnection = z.output<typeof datadogConnection>;

/** Where the API of the connection is. */
export function apiUrl({ endpoint: own, site }: DatadogConnection): string {
  return own === undefined ? `https://api.${site}` : new URL(own).origin;
}

function isBare(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password, pathname, search, hash } = new URL(text);
  return pathname === '/' && [username, password, search, hash].every((part) => part === '');
}
