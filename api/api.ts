import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from './deps';
import { createServer } from './server';
import type { ApiOptions, Routes } from './server';
import { blockRoutes } from './v1/blocks';
import { integrationRoutes } from './v1/integrations';
import { revocationRoutes } from './v1/revocations';

/** Everything that is served, in the order in which it is described. */
const GROUPS: readonly Routes[] = [revocationRoutes, blockRoutes, integrationRoutes];

/** The HTTP API, ready to listen. */
export function createApi(deps: ApiDeps, options: ApiOptions): Promise<FastifyInstance> {
  return createServer(deps, options, GROUPS);
}
