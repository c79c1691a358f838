import type { FastifyInstance } from 'fastify';
import { surveyQueues } from '../temporal/pollers';
import type { ApiDeps } from './deps';
import { dopplerLoginRoutes } from './doppler/oidc';
import { dopplerRoutes } from './doppler/routes';
import { healthRoutes } from './health';
import { measured } from './measured';
import { createServer } from './server';
import type { ApiOptions, Routes } from './server';
import { blockRoutes } from './v1/blocks';
import { catalogRoutes } from './v1/catalog';
import { changeRoutes } from './v1/changes';
import { integrationRoutes } from './v1/integrations';
import { issueRoutes } from './v1/issue';
import { leaseRoutes } from './v1/leases';
import { loginRoutes } from './v1/login';
import { openapiRoutes } from './v1/openapi';
import { revocationRoutes } from './v1/revocations';
import { undeliveredRoutes } from './v1/undelivered';

/** Everything that is served, in the order in which it is described. */
const GROUPS: readonly Routes[] = [
  issueRoutes,
  undeliveredRoutes,
  leaseRoutes,
  changeRoutes,
  revocationRoutes,
  blockRoutes,
  catalogRoutes,
  loginRoutes,
  integrationRoutes,
  openapiRoutes,
  dopplerRoutes,
  dopplerLoginRoutes,
  healthRoutes,
];

/** The HTTP API, ready to listen. */
export function createApi(deps: ApiDeps, options: ApiOptions): Promise<FastifyInstance> {
  const { metrics, client, namespace, config } = deps;
  metrics.onSurvey(() => surveyQueues(client, namespace, config()));
  return createServer(measured(deps), options, GROUPS);
}
