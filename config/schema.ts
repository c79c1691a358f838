import { z } from 'zod';
import { accessSchema } from './access';
import { apiSchema } from './api';
import { DEFAULT_TTL_MS } from '../workflows/contract';
import { formatTtl, MAX_TTL_MS } from '../workflows/ttl';
import { DAY, duration, HOUR, MINUTE, SECOND, WEEK } from './duration';
import { fieldOf } from './records';
import { isReference, referenceSchema } from './reference';
import { THIS_MACHINE } from './this-machine';
import { isWebhookUrl } from './webhook-url';

const INTEGRATION = /^[a-z0-9][a-z0-9-]{0,62}$/;
const PROJECT = /^[a-z0-9_-]{1,64}$/;
const SECRET = /^[A-Z][A-Z0-9_]{0,63}$/;

const integrationName = z.string().regex(INTEGRATION, 'must be 1 to 63 of a-z 0-9 - and not begin with -');
const projectName = z.string().regex(PROJECT, 'must be 1 to 64 of a-z 0-9 _ -');
const secretName = z.string().regex(SECRET, 'must be 1 to 64 of A-Z 0-9 _ and begin with a letter');

/** A key whose lines are all commented out holds nothing, like one that is not there. */
function orEmpty<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => value ?? {}, schema);
}

function count(preset: number) {
  return z.int().min(1).max(1_000).default(preset);
}

const limits = z.strictObject({
  calls_per_second: z.number().min(0.1).max(1_000).optional(),
  provisions: count(10),
  deprovisions: count(20),
  quota_reserve: z.int().min(0).max(1_000_000).default(0),
});

/** Of all attempts to make a credential together. */
export const MAX_ISSUE_TIMEOUT_MS = 30 * MINUTE;

const timings = z
  .strictObject({
    issue_timeout: duration(5 * SECOND, MAX_ISSUE_TIMEOUT_MS).prefault('60s'),
    attempt_timeout: duration(3 * SECOND, 15 * MINUTE).prefault('30s'),
    // A heartbeat is sent every two seconds.
    heartbeat_timeout: duration(3 * SECOND, MINUTE).prefault('8s'),
    consistency_window: duration(0, HOUR).optional(),
    stuck_after: duration(SECOND, DAY).prefault('2m'),
  })
  .refine(({ attempt_timeout: attempt, issue_timeout: issue }) => attempt <= issue, {
    path: ['attempt_timeout'],
    when: ({ value }) => hasNumbers(value, ['attempt_timeout', 'issue_timeout']),
    error: 'must not be longer than issue_timeout (60s if absent), which bounds all attempts together',
  })
  .refine(({ heartbeat_timeout: heartbeat, attempt_timeout: attempt }) => heartbeat <= attempt, {
    path: ['heartbeat_timeout'],
    when: ({ value }) => hasNumbers(value, ['heartbeat_timeout', 'attempt_timeout']),
    error: 'must not be longer than attempt_timeout (30s if absent)',
  });

const sweep = z.strictObject({
  every: duration(10 * SECOND, WEEK).prefault('10m'),
  grace: duration(0, WEEK).prefault('10m'),
  overdue_after: duration(SECOND, WEEK).prefault('10m'),
});

const integration = z.strictObject({
  type: z.string(),
  retired: z.boolean().default(false),
  paused: z.boolean().default(false),
  connection: z.unknown().optional(),
  limits: orEmpty(limits),
  timings: orEmpty(timings),
  sweep: orEmpty(sweep),
});

const staticSecret = z
  .string()
  .refine((text) => !text.includes('\0'), 'must hold no NUL character')
  .refine(
    (text) => !isReference(text) || referenceSchema.safeParse(text).success,
    'begins like a reference and must then be env:NAME or file:/absolute/path',
  );

const leaseLimit = z.int().min(1).max(100_000).optional();

const dynamicSecret = z
  .strictObject({
    integration: z.string(),
    default_ttl: duration(SECOND, MAX_TTL_MS).optional(),
    min_ttl: duration(SECOND, MAX_TTL_MS).prefault('1m'),
    max_ttl: duration(SECOND, MAX_TTL_MS).prefault('12h'),
    max_leases: leaseLimit,
    max_leases_per_holder: leaseLimit,
    parameters: z.unknown().optional(),
  })
  .check(
    z.refine((ttls: Ttls) => ttls.min_ttl <= ttls.max_ttl, {
      path: ['min_ttl'],
      when: ({ value }) => hasNumbers(value, ['min_ttl', 'max_ttl']),
      error: 'must not be longer than max_ttl (absent, they are 1m and 12h)',
    }),
    z.refine((ttls: Ttls) => isDefaultAllowed(ttls), {
      path: ['default_ttl'],
      when: ({ value }) => hasNumbers(value, ['min_ttl', 'max_ttl']) && !hasFailed(value, 'default_ttl'),
      error: ({ input }) => describeDefault(input as Ttls),
    }),
  );

const config = z.strictObject({
  secrets: orEmpty(z.record(secretName, staticSecret)),
  dynamic_secrets: orEmpty(z.record(secretName, dynamicSecret)),
});

const webhook = z.strictObject({
  url: z
    .string()
    .refine(
      isWebhookUrl,
      `must be env:NAME, file:/absolute/path or a URL without user and password: https://, or http:// to ${THIS_MACHINE}`,
    ),
  format: z.enum(['json', 'slack']).default('json'),
  secret: referenceSchema.optional(),
});

const alerts = z.strictObject({
  webhooks: z.preprocess((value) => value ?? [], z.array(webhook)),
});

/**
 * Of the file. It grows only when a key that a file may have today would mean something else: what is merely added has a default with
 * which the file means what it did.
 */
const FILE_VERSION = 1;

/** Whether a file is for a release that is newer than this one, which then cannot tell what is wrong with the rest of it. */
export function isForNewer(file: unknown): boolean {
  const version = fieldOf(file, 'version');
  return typeof version === 'number' && version > FILE_VERSION;
}

function describeVersion(written: unknown): string {
  const must = `must be ${FILE_VERSION}, the latest version of this file that this release reads`;
  return isForNewer({ version: written })
    ? `${must}. Upgrade every worker and API before the file, or write it for this release`
    : must;
}

/** The configuration file, apart from the parts that belong to the types of integrations. */
export const fileSchema = z.strictObject({
  version: z.literal(FILE_VERSION, { error: ({ input }) => describeVersion(input) }),
  integrations: orEmpty(z.record(integrationName, integration)),
  projects: orEmpty(
    z.record(projectName, orEmpty(z.strictObject({ configs: orEmpty(z.record(projectName, orEmpty(config))) }))),
  ),
  alerts: orEmpty(alerts),
  access: orEmpty(accessSchema),
  api: orEmpty(apiSchema),
});

export type ConfigFile = z.output<typeof fileSchema>;

interface Ttls {
  readonly default_ttl?: number | undefined;
  readonly min_ttl: number;
  readonly max_ttl: number;
}

function isDefaultAllowed({ default_ttl: preset = DEFAULT_TTL_MS, min_ttl: min, max_ttl: max }: Ttls): boolean {
  // A range that is itself wrong is told by itself.
  return min > max || (preset >= min && preset <= max);
}

function describeDefault({ default_ttl: preset, min_ttl: min, max_ttl: max }: Ttls): string {
  const range = `from min_ttl ${formatTtl(min)} to max_ttl ${formatTtl(max)}`;
  if (preset !== undefined) return `must be ${range}, not ${formatTtl(preset)}`;
  return `is absent, and ${formatTtl(DEFAULT_TTL_MS)}, which it then is, is not ${range}: set default_ttl`;
}

/** Comparisons wait until what they compare has been read. */
function hasNumbers(value: unknown, fields: readonly string[]): boolean {
  return fields.every((field) => typeof fieldOf(value, field) === 'number');
}

function hasFailed(value: unknown, field: string): boolean {
  return !['number', 'undefined'].includes(typeof fieldOf(value, field));
}
