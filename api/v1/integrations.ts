import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { checkIntegration } from '../../client/check';
import { checkBody, integrationListBody } from '../../client/wire';
import { wireCode } from '../../client/wire-code';
import type { CheckBody, IntegrationBody } from '../../client/wire';
import type { Config, IntegrationSettings } from '../../config/load';
import type { CheckAnswer } from '../../workflows/contract';
import { answer, errors } from '../describe';
import { refusal } from '../errors';
import type { Identity } from '../identity/identity';
import { identityOf, requireRight } from '../request';
import type { Routes } from '../server';
import { covers, requireReach } from './reach';

/** The configured connections to providers, without their settings, and whether they work. */
export const integrationRoutes: Routes = (plain, { config, client }) => {
  const app = plain.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/v1/integrations',
    {
      schema: {
        operationId: 'listIntegrations',
        summary: 'List integrations',
        description:
          'Those behind the dynamic secrets in the scopes of the token, without their settings. Needs the right `admin`.',
        tags: ['integrations'],
        response: { 200: answer('Integrations by name.', integrationListBody), ...errors(403) },
      },
    },
    (request) => {
      const identity = identityOf(request);
      requireRight(identity, 'admin');
      const known = config();
      const used = usedBy(known, identity);
      return {
        integrations: Object.entries(known.integrations)
          .filter(([name]) => covers(identity, {}) || used.has(name))
          .map(([name, settings]) => body(name, settings)),
      };
    },
  );

  app.post(
    '/v1/integrations/:name/check',
    {
      config: { needsTemporal: true },
      schema: {
        operationId: 'checkIntegration',
        summary: "Try an integration's credential and rights, changing nothing",
        description:
          'A worker that serves the integration does it, with its own credential; this server has none. Needs the right `admin` and ' +
          'the scope `*`.',
        tags: ['integrations'],
        params: z.object({ name: z.string().max(100) }),
        response: { 200: answer('What the worker found.', checkBody), ...errors(403, 404, 502) },
      },
    },
    async (request) => {
      const identity = identityOf(request);
      requireRight(identity, 'admin');
      requireReach(identity, {}, 'Only a token whose scope is * may check an integration.');
      const { name } = request.params;
      if (!Object.hasOwn(config().integrations, name)) {
        throw refusal(404, 'not_found', 'No such integration is configured.');
      }
      return findings(name, await checkIntegration({ client }, name));
    },
  );
};

/** The integrations behind the dynamic secrets within an identity's scopes. */
function usedBy({ projects }: Config, identity: Identity): ReadonlySet<string> {
  const used = new Set<string>();
  for (const [project, { configs }] of Object.entries(projects)) {
    for (const [config, { dynamicSecrets }] of Object.entries(configs)) {
      if (!covers(identity, { project, config })) continue;
      for (const { integration } of Object.values(dynamicSecrets)) used.add(integration);
    }
  }
  return used;
}

function body(name: string, { type, retired, paused, limits }: IntegrationSettings): IntegrationBody {
  return {
    name,
    type,
    retired,
    paused,
    limits: {
      calls_per_second: limits.callsPerSecond,
      provisions: limits.provisions,
      deprovisions: limits.deprovisions,
      quota_reserve: limits.quotaReserve,
    },
  };
}

function findings(integration: string, { worker, check, failure }: CheckAnswer): CheckBody {
  const quota = check?.quota ?? null;
  const missingRights = check?.missingRights ?? [];
  return {
    integration,
    worker,
    ok: check !== null && missingRights.length === 0 && (quota === null || quota.used < quota.limit),
    identity: check?.identity ?? null,
    missing_rights: [...missingRights],
    untried_rights: [...(check?.untriedRights ?? [])],
    quota,
    notes: [...(check?.notes ?? [])],
    failure: failure === null ? null : { code: wireCode(failure.type), message: failure.message },
  };
}
