import type { IntegrationType } from './integration';
import { awsIam } from './aws-iam/aws-iam';
import { datadog } from './datadog/datadog';

/** Every type of integration, by its `type` in the configuration. */
export const integrationTypes: Readonly<Record<string, IntegrationType>> = {
  [awsIam.type]: awsIam,
  [datadog.type]: datadog,
};
