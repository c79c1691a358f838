import { z } from 'zod';
import { DENY_EVERYTHING } from './revocation';
import {
  countPolicyCharacters,
  MAX_ARN,
  MAX_GROUP_NAME,
  MAX_INLINE_POLICIES,
  NAME,
  POLICY_ARN,
  POLICY_TEXT,
} from './syntax';
import { usableTimeout } from './usable-timeout';

/** What a lease's own document may take, so that the one that denies everything still fits when the lease ends. */
export const MAX_POLICY = MAX_INLINE_POLICIES - countPolicyCharacters(DENY_EVERYTHING);

type Json = Record<string, unknown>;

/** An inline policy, as an object or as its JSON; afterwards the JSON without needless whitespace. */
const policy = z
  .union([z.string(), z.record(z.string(), z.unknown())], 'must be a policy document')
  .transform((document, context): string => {
    const problem = describeProblem(document);
    if (problem === null) return JSON.stringify(toObject(document));
    context.addIssue({ code: 'custom', message: problem });
    return z.NEVER;
  });

const policyArns = z
  .array(
    z
      .string()
      .max(MAX_ARN)
      .regex(POLICY_ARN, 'must be the ARN of a managed policy, for example arn:aws:iam::aws:policy/ReadOnlyAccess'),
  )
  .max(10, 'must hold at most 10 ARNs: IAM attaches no more to one user')
  .refine((arns) => new Set(arns).size === arns.length, 'must not name one policy twice');

const groups = z
  .array(
    z
      .string()
      .max(MAX_GROUP_NAME, `must be at most ${MAX_GROUP_NAME} characters`)
      .regex(NAME, 'must be the name of a group, made of A-Z a-z 0-9 + = , . @ _ - only'),
  )
  .max(10, 'must hold at most 10 names: IAM puts one user in no more groups')
  .refine(
    (names) => new Set(names.map((name) => name.toLowerCase())).size === names.length,
    'must not name one group twice',
  );

/** Parameters of a dynamic secret of type `aws_iam`. */
export const awsIamParameters = z
  .strictObject({
    policy: policy.optional(),
    policy_arns: policyArns.default([]),
    groups: groups.default([]),
    /** Hand the key over only once AWS was seen to accept it several times in a row. */
    wait_until_usable: z.boolean().default(true),
    /** How long to wait for that. Afterwards the key is handed over all the same. Milliseconds once parsed. */
    usable_timeout: usableTimeout(),
  })
  .refine(
    ({ policy: document, policy_arns: arns, groups: names }) =>
      document !== undefined || arns.length > 0 || names.length > 0,
    'must grant something: set policy, policy_arns or groups, or the leased key could do nothing',
  );

export type AwsIamParameters = z.output<typeof awsIamParameters>;

function toObject(document: string | Json): unknown {
  if (typeof document !== 'string') return document;
  try {
    return JSON.parse(document) as unknown;
  } catch {
    return undefined;
  }
}

function describeProblem(document: string | Json): string | null {
  const parsed = toObject(document);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return 'must be a policy document: an object, or a string with the JSON of one';
  }
  const statement = 'Statement' in parsed ? parsed.Statement : undefined;
  if (typeof statement !== 'object' || statement === null || Object.keys(statement).length === 0) {
    return 'must have a Statement that is not empty, like every policy document';
  }
  const text = JSON.stringify(parsed);
  if (!POLICY_TEXT.test(text)) return 'holds a character that IAM refuses in policies: only Latin-1 is allowed';
  const length = countPolicyCharacters(text);
  if (length > MAX_POLICY) {
    return (
      `has ${length} characters without whitespace, at most ${MAX_POLICY} are allowed: ` +
      'shorten it, or put it into a managed policy and name that in policy_arns'
    );
  }
  return null;
}
