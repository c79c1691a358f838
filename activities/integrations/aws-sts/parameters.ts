import { z } from 'zod';
import { externalId, roleArn } from '../aws/connection';
import { policyArns, policyDocument } from '../aws/policy';

/** What a session policy may take; AWS counts every character of it. */
export const MAX_SESSION_POLICY = 2_048;
const MAX_TAGS = 50;
const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

const tagKey = z
  .string()
  .min(1)
  .max(128, 'must be at most 128 characters')
  .regex(TAG_TEXT, 'must be made of letters, digits, spaces and _ . : / = + - @ only')
  .refine((key) => !key.toLowerCase().startsWith('aws:'), 'must not begin with "aws:", which AWS keeps for itself');
const tagValue = z
  .string()
  .max(256, 'must be at most 256 characters')
  .regex(TAG_TEXT, 'must be made of letters, digits, spaces and _ . : / = + - @ only');

/** Parameters of a dynamic secret of type `aws_sts`. */
export const awsStsParameters = z.strictObject({
  /** The role of which each lease is a session. */
  role_arn: roleArn,
  /** Session policy: the session may do what both it and the role allow. */
  policy: policyDocument({
    characters: MAX_SESSION_POLICY,
    count: (document) => document.length,
    counted: ' once needless whitespace is left out',
  }).optional(),
  /** Managed policies that cap the session in the same way. */
  policy_arns: policyArns('AWS takes no more for one session').default([]),
  /** What the trust policy of the role asks for; plain, or a reference. */
  external_id: externalId.optional(),
  /** Session tags. The role must allow sts:TagSession. */
  tags: z
    .record(tagKey, tagValue)
    .refine((tags) => Object.keys(tags).length <= MAX_TAGS, `must hold at most ${MAX_TAGS} tags`)
    .refine(
      (tags) => new Set(Object.keys(tags).map((key) => key.toLowerCase())).size === Object.keys(tags).length,
      'must not name one tag twice: AWS does not tell upper from lower case there',
    )
    .default({}),
});

export type AwsStsParameters = z.output<typeof awsStsParameters>;
