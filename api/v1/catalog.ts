import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { dynamicSecretsBody, dynamicSecretsQuery, secretsBody, secretsQuery, whoamiBody } from '../../client/wire';
import type { DynamicSecretsBody } from '../../client/wire';
import type { Scope } from '../../config/load';
import { flatNames } from '../../flat/names';
import type { ApiDeps } from '../deps';
import { answer, errors } from '../describe';
import { isInScope } from '../identity/identity';
import type { Identity } from '../identity/identity';
import { findPlace } from '../place';
import { identityOf, requireRight } from '../request';
import type { Routes } from '../server';
import { readStatics } from '../static-secrets';

/** What there is to lease, and who asks. */
export const catalogRoutes: Routes = (app, deps) => {
  const typed = app.withTypeProvider<ZodTypeProvider>();

  typed.get(
    '/v1/dynamic-secrets',
    {
      schema: {
        operationId: 'listDynamicSecrets',
        tags: ['dynamic secrets'],
        summary: 'List dynamic secrets',
        description: 'What can be leased in the scopes of the token.',
        querystring: dynamicSecretsQuery,
        response: { 200: answer('Dynamic secrets by name.', dynamicSecretsBody), ...errors() },
      },
    },
    (request) => Promise.resolve({ dynamic_secrets: catalogOf(deps, identityOf(request), request.query) }),
  );

  typed.get(
    '/v1/secrets',
    {
      schema: {
        operationId: 'getSecrets',
        tags: ['secrets'],
        summary: 'Read the static secrets of a config',
        description: 'What is dynamic is not among them: it is leased. Needs the right `read`.',
        querystring: secretsQuery,
        response: { 200: answer('Values by name.', secretsBody), ...errors(403, 404, 502) },
      },
    },
    (request) => {
      const identity = identityOf(request);
      const { project = '', config = '' } = request.query;
      const place = findPlace(deps.config(), identity, { project, config });
      requireRight(identity, 'read');
      const values = readStatics(place, Object.keys(place.settings.secrets));
      const named = { project: place.project, config: place.config };
      return Promise.resolve({ ...named, secrets: Object.fromEntries(values) });
    },
  );

  typed.get(
    '/v1/whoami',
    {
      schema: {
        operationId: 'whoami',
        tags: ['identity'],
        summary: 'Say who asks',
        description: 'Whose token it is, what it may do, where and until when.',
        response: { 200: answer('Who asks.', whoamiBody), ...errors() },
      },
    },
    (request) => {
      const { tokenId, holder, rights, scopes, expiresAt } = identityOf(request);
      return Promise.resolve({
        token_id: tokenId,
        holder,
        rights: [...rights],
        scopes: scopes.map(writeScope),
        expires_at: expiresAt?.toISOString() ?? null,
      });
    },
  );
};

function catalogOf(
  { config }: ApiDeps,
  identity: Identity,
  only: { readonly project?: string | undefined; readonly config?: string | undefined },
): DynamicSecretsBody['dynamic_secrets'] {
  return Object.entries(config().projects)
    .filter(([project]) => only.project === undefined || only.project === project)
    .flatMap(([project, { configs }]) =>
      Object.entries(configs)
        .filter(([name]) => only.config === undefined || only.config === name)
        .filter(([name]) => isInScope(identity, project, name))
        .flatMap(([name, { dynamicSecrets }]) =>
          Object.entries(dynamicSecrets).map(([dynamicSecret, settings]) => ({
            project,
            config: name,
            name: dynamicSecret,
            integration: identity.rights.has('admin') ? settings.integration : null,
            fields: [...settings.fields],
            flat_names: [...flatNames(dynamicSecret, settings.fields)],
            default_ttl_seconds: settings.defaultTtlMs / 1_000,
            min_ttl_seconds: settings.minTtlMs / 1_000,
            max_ttl_seconds: settings.maxTtlMs / 1_000,
          })),
        ),
    );
}

function writeScope({ project, config }: Scope): string {
  return project === '*' ? '*' : `${project}/${config}`;
}
