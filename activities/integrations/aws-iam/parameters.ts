import { z } from 'zod';
import { DENY_EVERYTHING } from './revocation';
import { policyArns, policyDocument } from '../aws/policy';
import { countPolicyCharacters, MAX_GROUP_NAME, MAX_INLINE_POLICIES, NAME } from '../aws/syntax';
import { usableTimeout } from '../usable-timeout';

/** What a lease's own document may take, so that the one that denies everything still fits when the lease ends. */
export const MAX_POLICY = MAX_INLINE_POLICIES - countPolicyCharacters(DENY_EVERYTHING);

const policy = policyDocument({
  characters: MAX_POLICY,
  count: countPolicyCharacters,
  counted: ' without whitespace',
});

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
    policy_arns: policyArns('IAM attaches no more to one user').default([]),
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
