import { z } from 'zod';
import { awsConnection } from '../aws/connection';

/** Settings of an integration of type `aws_sts`. */
export const awsStsConnection = z.strictObject(awsConnection);

export type AwsStsConnection = z.output<typeof awsStsConnection>;
