import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps';
import { createReach } from '../reach';
import { createDownloads } from './downloads';
import { createFlights } from './flights';
import { giveBack } from './issue';
import type { Leased } from './issue';
import { leasesRoutes } from './leases';
import { readOnlyRoutes } from './read-only';
import { secretsRoutes } from './secrets';
import { structureRoutes } from './structure';
import { watchRoutes } from './watch';

/** What Doppler's own command line and SDKs ask for. */
export async function dopplerRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  await app.register((scope, _, done) => {
    const shared = {
      flights: createFlights<Leased>({ giveBack: (leased) => giveBack(deps, leased) }),
      downloads: createDownloads(),
      reachTemporal: createReach(deps),
    };
    acceptEmptyBodies(scope);
    scope.addHook('preClose', async () => {
      await shared.flights.close();
    });
    // Requests that were still running at preClose have ended by now, and some of them may have lost their client.
    scope.addHook('onClose', async () => {
      await shared.flights.close();
    });
    secretsRoutes(scope, deps, shared);
    leasesRoutes(scope, deps, shared);
    structureRoutes(scope, deps);
    watchRoutes(scope, deps, shared.downloads);
    readOnlyRoutes(scope);
    done();
  });
}

/** Doppler's clients say `Content-Type: application/json` also where they send nothing and mean the query. */
function acceptEmptyBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, null);
    else void parse(request, String(body), done);
  });
}
