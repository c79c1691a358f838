import { z } from 'zod';
import { awsConnection, awsEndpoints } from '../aws/connection';

/** Settings of an integration of type `aws_sts`. */
export const awsStsConnection = z.strictObject(awsConnection).check(awsEndpoints);

export type AwsStsConnection = z.output<typeof awsStsConnection>;
