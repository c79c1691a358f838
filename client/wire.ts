import { z } from 'zod';
import { LEASE_ENDS } from '../workflows/words';

// JSON of the HTTP API under /v1, for its server and its client. Changing what stands here changes what others' programs see:
// add, do not rename.

const instant = z.iso.datetime();
const text = z.string();
const states = ['provisioning', 'active', 'deprovisioning', 'stuck', ...LEASE_ENDS, 'terminated'] as const;

export const jwkBody = z
  .strictObject({
    kty: z.enum(['OKP', 'EC']),
    crv: z.enum(['X25519', 'P-256']),
    x: z.string().max(100),
    y: z.string().max(100).optional(),
  })
  .meta({
    id: 'RecipientJwk',
    description: 'A public key of the caller, X25519 or P-256. Only its private key opens what is sealed.',
  });

export const ttlBody = z
  .union([z.string().max(40), z.number()])
  .describe('A span of time: `90s`, `15m`, `1h30m`, `12h`, `7d`, or whole seconds.');

export const issueBody = z
  .strictObject({
    project: z.string().max(64),
    config: z.string().max(64),
    dynamic_secret: z.string().max(64),
    ttl: ttlBody.optional().describe("Default: the dynamic secret's own. Out of its range it is refused, never cut."),
    recipient_jwk: jwkBody
      .optional()
      .describe(
        'A public key (X25519 or P-256): the credential is then answered sealed to it, and this server cannot read it.',
      ),
  })
  .meta({ examples: [{ project: 'backend', config: 'prd', dynamic_secret: 'S3_UPLOADS', ttl: '15m' }] });

/** Answer of an issue: `credential`, or `sealed` where a `recipient_jwk` was given. */
export const issuedBody = z
  .object({
    lease_id: text,
    expires_at: instant.describe('When removal begins.'),
    usable_at: instant.nullable().describe('When the provider was seen to honour the credential; null: not known.'),
    credential: z
      .record(z.string(), z.string())
      .optional()
      .describe('Names and values. Missing where it is sealed. It cannot be asked for again.'),
    sealed: z.string().optional().describe('Compact JWE (ECDH-ES, A256GCM).'),
    facts: z.record(z.string(), z.string()).describe('What is not secret, as the name of a role.'),
    notes: z.array(text).describe('Sentences for people, as what a revoke cannot recall.'),
  })
  .meta({ id: 'IssuedLease' });

/** An issue, with its idempotency key, whose answer did not arrive: what it started is revoked. */
export const disownBody = z
  .strictObject({
    project: z.string().max(64),
    config: z.string().max(64),
    dynamic_secret: z.string().max(64),
    recipient_jwk: jwkBody.describe('As given to the issue. What was issued to another key is left alone.'),
    shared: z
      .boolean()
      .optional()
      .describe('Whether another caller may hold this key pair: then it is only told what became of the lease.'),
  })
  .meta({
    examples: [
      {
        project: 'backend',
        config: 'prd',
        dynamic_secret: 'S3_UPLOADS',
        recipient_jwk: { kty: 'OKP', crv: 'X25519', x: '3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08' },
      },
    ],
  });

export const disownedBody = z.object({
  lease_id: text,
  undelivered: z.enum(['revoke accepted', 'ended', 'nothing started', 'left alone', 'unknown']),
});

export const leaseBody = z
  .object({
    lease_id: text,
    state: z.enum(states),
    project: text,
    config: text,
    dynamic_secret: text,
    integration: text.nullable().describe('Null until it is planned.'),
    holder: text.describe('Whose lease it is: `token:ci`.'),
    entity: text.nullable().describe('Name of what was made at the provider; null until it is planned.'),
    requested_at: instant,
    expires_at: instant.nullable().describe('When removal begins; null until that is settled.'),
    ended_at: instant.nullable().describe('Null while it runs.'),
  })
  .meta({ id: 'Lease' });

export const leaseReportBody = leaseBody.extend({
  ended_by: text.nullable(),
  reason: text.nullable(),
  failure: z.object({ code: text, message: text }).nullable(),
});

export const leasePageBody = z.object({
  leases: z.array(leaseBody),
  next_cursor: text.nullable().describe('For the next page; null: this was the last one.'),
});

export const leaseFilterQuery = z.strictObject({
  state: z.enum(states).optional(),
  project: z.string().min(1).max(255).optional(),
  config: z.string().min(1).max(255).optional(),
  dynamic_secret: z.string().min(1).max(255).optional(),
  integration: z.string().min(1).max(255).optional(),
  holder: z.string().min(1).max(255).optional(),
  entity: z.string().min(1).max(255).optional().describe('Name at the provider: an AWS user, a database role.'),
  live: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'Only those that have not ended, or only those that have.', examples: ['true'] }),
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,3}$/)
    .optional()
    .describe('Leases on one page, 1 to 1000; 100 if absent.'),
  cursor: z.string().max(1_000).optional().describe('The `next_cursor` of the page before, of the same list.'),
});

export const extendBody = z.strictObject({ ttl: ttlBody }).meta({ examples: [{ ttl: '1h' }] });
export const extendedBody = z.object({ lease_id: text, expires_at: instant });

export const revokeBody = z
  .strictObject({
    reason: z.string().max(1_000).optional(),
    wait: z
      .union([z.boolean(), z.string().max(40)])
      .optional()
      .describe('Whether to wait for the confirmed removal, or how long: `30s`. At most 5m. Default: not.'),
  })
  .meta({ examples: [{ reason: 'key seen in a log', wait: '30s' }] });

export const revokedBody = z
  .object({
    lease_id: text,
    state: z.enum(['accepted', ...LEASE_ENDS]),
    ended_at: instant.nullable(),
    ended_by: text.nullable(),
    reason: text.nullable(),
  })
  .meta({ id: 'Revocation' });

export const abandonBody = z
  .strictObject({ reason: z.string().min(1).max(1_000) })
  .meta({ examples: [{ reason: 'the account is closed' }] });

/** What can be leased. */
export const dynamicSecretsBody = z.object({
  dynamic_secrets: z.array(
    z.object({
      project: text,
      config: text,
      name: text,
      integration: text.nullable().describe('Only for admins; null otherwise.'),
      fields: z.array(text).describe('Names in its credentials.'),
      flat_names: z.array(text).describe('The names under which it is handed out among other secrets.'),
      default_ttl_seconds: z.int(),
      min_ttl_seconds: z.int(),
      max_ttl_seconds: z.int(),
    }),
  ),
});

export const dynamicSecretsQuery = z.strictObject({
  project: z.string().max(64).optional(),
  config: z.string().max(64).optional(),
});

export const secretsQuery = z.strictObject({
  project: z
    .string()
    .max(64)
    .optional()
    .meta({
      description: 'May be left out, as may the config, by a token of one config alone.',
      examples: ['backend'],
    }),
  config: z
    .string()
    .max(64)
    .optional()
    .meta({ examples: ['prd'] }),
});

/** Static secrets of a config. What is dynamic is leased. */
export const secretsBody = z.object({ project: text, config: text, secrets: z.record(z.string(), z.string()) });

export const whoamiBody = z.object({
  token_id: text,
  holder: text.describe('Whose leases they are.'),
  rights: z.array(text),
  scopes: z.array(text).describe('`project/config`, `project/*` or `*`.'),
  expires_at: instant.nullable(),
});

/** How people sign in from a command line: by a device authorization (RFC 8628) at an OIDC issuer. */
export const loginBody = z.object({
  issuers: z.array(
    z.object({
      alias: text,
      issuer: text.describe('Its address, below which its discovery document is.'),
      client_id: text,
      scopes: z.array(text),
      token: z.enum(['id_token', 'access_token']).describe('Which of its tokens is sent to this API.'),
      parameters: z.record(z.string(), z.string()).describe('For the device authorization, beside client and scope.'),
    }),
  ),
});

/** Every error of the API. `messages` and `success` are what Doppler's clients read. */
export const errorBody = z
  .object({
    success: z.literal(false),
    messages: z.array(text).describe('One sentence, safe to show and to log.'),
    code: text.describe('What programs decide by.'),
    request_id: text.describe('By which the logs of the server name it; also in the header `x-request-id`.'),
    field: text.optional().describe('Which field of the request is wrong.'),
    lease_id: text.optional(),
    state: text.optional().describe('Of `lease_ended`: how it ended.'),
    undelivered: text.optional().describe('What became of a lease whose credential was not handed over.'),
  })
  .meta({ id: 'Error' });

export type DynamicSecretsBody = z.infer<typeof dynamicSecretsBody>;
export type LoginBody = z.infer<typeof loginBody>;
export type WhoamiBody = z.infer<typeof whoamiBody>;
export type IssueBody = z.infer<typeof issueBody>;
export type IssuedBody = z.infer<typeof issuedBody>;
export type LeaseBody = z.infer<typeof leaseBody>;
export type LeaseReportBody = z.infer<typeof leaseReportBody>;
export type LeasePageBody = z.infer<typeof leasePageBody>;
export type RevokedBody = z.infer<typeof revokedBody>;
export type ErrorBody = z.infer<typeof errorBody>;

// --- Bulk revokes, blocks, integrations ------------------------------------------------------------------------------

const filterText = z.string().min(1).max(255).optional();

/** Which leases are meant: all that is given must be so. */
const blockFilterBody = z.object({
  holder: filterText.describe('As shown with a lease: `token:ci`.'),
  project: filterText,
  config: filterText,
  dynamic_secret: filterText,
  integration: filterText,
});
const revokeFilterBody = blockFilterBody.extend({
  entity: filterText.describe('Name at the provider: an AWS user, a database role.'),
});

export const bulkRevokeBody = z.strictObject({ ...revokeFilterBody.shape, reason: z.string().min(1).max(1_000) }).meta({
  description: 'At least one of the filters must be given.',
  examples: [{ holder: 'token:ci', reason: 'the token was in a log' }],
});

export const bulkRevokeReportBody = z.object({
  id: text,
  state: z
    .enum(['running', 'done', 'incomplete', 'stopped'])
    .describe(
      '`incomplete`: all were told again and again, and some do not react. `stopped`: ended by hand in Temporal.',
    ),
  filter: revokeFilterBody,
  by: text,
  reason: text,
  requested_at: instant,
  ended_at: instant.nullable(),
  block_id: text.nullable().describe('What keeps more from being issued, until an admin lifts it.'),
  remark: text.nullable(),
  rounds: z.int().describe('Listings so far. It is done when two in a row found nothing.'),
  matched: z.int().describe('Leases that they found; one that did not react at once is found more than once.'),
  signalled: z.int().describe('Of these, how many were told to end.'),
  left: z.int().describe('Found by the last listing.'),
  still_removing: z.int().describe('Being removed at the last listing; removal goes on by itself.'),
});
export const bulkRevokeListBody = z.object({ revocations: z.array(bulkRevokeReportBody) });

export const blockBody = z.object({ id: text, filter: blockFilterBody, by: text, reason: text, at: instant });
export const blockListBody = z.object({ blocks: z.array(blockBody) });

export const integrationBody = z.object({
  name: text,
  type: text,
  retired: z.boolean(),
  paused: z.boolean(),
  limits: z.object({
    calls_per_second: z.number(),
    provisions: z.int(),
    deprovisions: z.int(),
    quota_reserve: z.int(),
  }),
});
export const integrationListBody = z.object({ integrations: z.array(integrationBody) });

export const checkBody = z.object({
  integration: text,
  worker: text.describe('The worker that answered. Others may have other credentials.'),
  ok: z.boolean().describe('Whether leases can be issued and ended, as far as can be told without making something.'),
  identity: text.nullable().describe('As whom the provider knows the orchestrator.'),
  missing_rights: z.array(text),
  untried_rights: z.array(text).describe('Cannot be tried without making something.'),
  quota: z.object({ what: text, used: z.number(), limit: z.number() }).nullable(),
  notes: z.array(text),
  failure: z
    .object({ code: text, message: text })
    .nullable()
    .describe('Why the provider could not be asked or refused the credential itself.'),
});

export type BulkRevokeReportBody = z.infer<typeof bulkRevokeReportBody>;
export type BlockBody = z.infer<typeof blockBody>;
export type IntegrationBody = z.infer<typeof integrationBody>;
export type CheckBody = z.infer<typeof checkBody>;
