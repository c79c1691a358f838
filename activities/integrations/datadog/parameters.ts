import { z } from 'zod';
import { usableTimeout } from '../usable-timeout';
import { KEY_CHOICES, wantsApiKey, wantsApplicationKey } from './kinds';

const serviceAccount = z
  .uuid('must be the id of a service account, for example 00000000-0000-1234-0000-000000000000')
  .transform((id) => id.toLowerCase());

const scopes = z
  .array(z.string().regex(/^[a-z][a-z0-9_]{0,127}$/, 'must be the name of a scope, for example dashboards_read'))
  .min(1, 'must name at least one scope: for a key with all rights of its service account say unscoped: true')
  .max(200, 'must hold at most 200 scopes')
  .refine((names) => new Set(names).size === names.length, 'must not name one scope twice');

/** Parameters of a dynamic secret of type `datadog`. */
export const datadogParameters = z
  .strictObject({
    /** What a lease yields: an API key, which sends data; an application key, which reads and changes with it; or the pair. */
    keys: z.enum(KEY_CHOICES, 'must be both, api or application').default('both'),
    /** Whose application keys are leased. */
    service_account: serviceAccount.optional(),
    /** What an application key may do, of all that its service account may. */
    scopes: scopes.optional(),
    /** Said in so many words: an application key that may do all that its service account may. */
    unscoped: z.literal(true, 'must be true, or left out').optional(),
    /** Hand an API key over only once Datadog was seen to accept it several times in a row. */
    wait_until_usable: z.boolean().default(true),
    /** How long to wait for that. Afterwards the key is handed over all the same. Milliseconds once parsed. */
    usable_timeout: usableTimeout(),
  })
  .check(({ value, issues }) => {
    const complain = (field: string, message: string) => {
      issues.push({ code: 'custom', input: value, path: [field], message });
    };
    if (wantsApplicationKey(value.keys)) {
      if (value.service_account === undefined) {
        complain('service_account', 'is missing: application keys belong to a service account. For none say keys: api');
      }
      if (value.scopes === undefined && value.unscoped === undefined) {
        complain('scopes', 'is missing: name what the application key may do, or say unscoped: true');
      }
      if (value.scopes !== undefined && value.unscoped !== undefined) {
        complain('unscoped', 'must be left out when scopes are named');
      }
      return;
    }
    for (const field of ['service_account', 'scopes', 'unscoped'] as const) {
      if (value[field] !== undefined)
        complain(field, 'must be left out with keys: api, which leases no application key');
    }
  });

export type DatadogParameters = z.output<typeof datadogParameters>;

export function datadogFields({ keys }: DatadogParameters): readonly string[] {
  return [...(wantsApiKey(keys) ? ['API_KEY'] : []), ...(wantsApplicationKey(keys) ? ['APP_KEY'] : []), 'SITE'];
}
