import { z } from 'zod';
import { isReference, referenceSchema } from '../../../config/reference';
import { secureEndpoints } from '../../../config/secure-url';
import { MARK_LENGTH } from '../entity-name';
import { MAX_ARN, MAX_USER_NAME, NAME, ROLE_ARN } from './syntax';

const url = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
  .refine(isBare, 'must hold no user, password, query or fragment');

const region = z
  .string()
  .regex(/^[a-z]{2,}(?:-[a-z0-9]+)+$/, 'must be the name of an AWS region, for example eu-central-1')
  .max(63);

const sessionName = z
  .string()
  .regex(/^[A-Za-z0-9+=,.@_-]{2,64}$/, 'must be 2 to 64 of the characters A-Z a-z 0-9 + = , . @ _ -');

export const roleArn = z
  .string()
  .max(MAX_ARN)
  .regex(ROLE_ARN, 'must be the ARN of a role, for example arn:aws:iam::123456789012:role/leasehold');

const webIdentity = z.strictObject({
  role_arn: roleArn,
  token_file: z.string().regex(/^\//, 'must be the absolute path of the file with the web identity token'),
  session_name: sessionName.optional(),
});

/** Not a secret by AWS's own definition; often kept with the credentials all the same, so a reference is welcome. */
export const externalId = z
  .string()
  .regex(/^[A-Za-z0-9+=,.@:/_-]{2,1224}$/, 'must be 2 to 1224 of the characters A-Z a-z 0-9 + = , . @ : / _ -')
  .refine(
    (text) => !isReference(text) || referenceSchema.safeParse(text).success,
    'must be env:NAME, file:/absolute/path or the external id itself',
  );

const assumeRole = z.strictObject({
  role_arn: roleArn,
  external_id: externalId.optional(),
  session_name: sessionName.optional(),
  duration_seconds: z
    .int()
    .min(900, 'must be at least 900 seconds')
    .max(43_200, 'must be at most 43200 seconds')
    .optional(),
});

const credentials = z
  .strictObject({
    profile: z.string().min(1, 'must name a profile of the AWS configuration files').optional(),
    access_key_id: referenceSchema.optional(),
    secret_access_key: referenceSchema.optional(),
    session_token: referenceSchema.optional(),
    web_identity: webIdentity.optional(),
    assume_role: assumeRole.optional(),
  })
  .check(({ value, issues }) => {
    const keys = value.access_key_id ?? value.secret_access_key ?? value.session_token;
    const sources = [value.profile, keys, value.web_identity].filter((source) => source !== undefined);
    if (sources.length > 1) {
      issues.push({
        code: 'custom',
        input: value,
        message: 'must name one source only: profile, access_key_id with secret_access_key, or web_identity',
      });
    }
    for (const field of ['access_key_id', 'secret_access_key'] as const) {
      if (keys !== undefined && value[field] === undefined) {
        issues.push({
          code: 'custom',
          input: value,
          path: [field],
          message: 'is missing: access_key_id and secret_access_key go together, each env:NAME or file:/absolute/path',
        });
      }
    }
  });

const MAX_PREFIX = MAX_USER_NAME - MARK_LENGTH;

/** What every type of integration of AWS is connected by. */
export const awsConnection = {
  /** Absent: what the AWS SDK finds in its environment, then us-east-1. Decides partition and endpoints. */
  region: region.optional(),
  /** Where AWS is spoken to instead of its own endpoint, for emulators and private endpoints. */
  endpoint: url.optional(),
  /** The same for STS. Absent: `endpoint` when that is set. */
  sts_endpoint: url.optional(),
  /** Lets both be http:// on another machine, for emulators: whoever is on the way reads the secret of each new key. */
  insecure_http: z.boolean().optional(),
  /** Begins every name; user names and session names may be equally long. */
  name_prefix: z
    .string()
    .regex(NAME, 'must be made of A-Z a-z 0-9 + = , . @ _ - only')
    .max(MAX_PREFIX, `must be at most ${MAX_PREFIX} characters: AWS allows 64 for the whole name`)
    .default('leasehold'),
  /** The orchestrator's own credentials. Absent: the AWS SDK's default chain. */
  credentials: credentials.default({}),
};

/** To be checked with {@link awsConnection}: the secret of a new key comes in the answers, and a web identity goes there. */
export const awsEndpoints = secureEndpoints({
  fields: ['endpoint', 'sts_endpoint'],
  own: ['amazonaws.com', 'amazonaws.com.cn', 'amazonaws.eu', 'api.aws'],
});

export type AwsConnection = z.output<z.ZodObject<typeof awsConnection>>;

function isBare(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return [username, password, search, hash].every((part) => part === '');
}
