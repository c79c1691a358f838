import type { IntegrationType } from './integration';
import { awsIam } from './aws-iam/aws-iam';
import { awsSts } from './aws-sts/aws-sts';
import { datadog } from './datadog/datadog';
import { postgresql } from './postgresql/postgresql';

/** Every type of integration, by its `type` in the configuration. */
export const integrationTypes: Readonly<Record<string, IntegrationType>> = {
  [awsIam.type]: awsIam,
  [awsSts.type]: awsSts,
  [datadog.type]: datadog,
  [postgresql.type]: postgresql,
};
