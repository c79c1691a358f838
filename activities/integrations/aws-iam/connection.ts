import { z } from 'zod';
import { awsConnection, awsEndpoints } from '../aws/connection';
import { MAX_ARN, MAX_PATH, PATH, POLICY_ARN } from '../aws/syntax';

/** Settings of an integration of type `aws_iam`. */
export const awsIamConnection = z
  .strictObject({
    ...awsConnection,
    path: z
      .string()
      .max(MAX_PATH, `must be at most ${MAX_PATH} characters`)
      .regex(PATH, 'must begin and end with "/" and hold printable ASCII without spaces')
      .default('/leasehold/'),
    /** Managed policy that caps what any user made here may do, whatever its own policies say. */
    permissions_boundary: z
      .string()
      .max(MAX_ARN)
      .regex(
        POLICY_ARN,
        'must be the ARN of a managed policy, for example arn:aws:iam::123456789012:policy/lease-boundary',
      )
      .optional(),
  })
  .check(awsEndpoints);

export type AwsIamConnection = z.output<typeof awsIamConnection>;
