import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from './deps';
import { dopplerLoginRoutes } from './doppler/oidc';
import { createServer } from './server';
import type { ApiOptions, Routes } from './server';

/** Everything that is served, in the order in which it is described. */
const GROUPS: readonly Routes[] = [dopplerLoginRoutes];

/** The HTTP API, ready to listen. */
export function createApi(deps: ApiDeps, options: ApiOptions): Promise<FastifyInstance> {
  return createServer(deps, options, GROUPS);
}
