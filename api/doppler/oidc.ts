import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { errorBody } from '../../client/wire';
import type { ApiDeps } from '../deps';
import { refusal } from '../errors';

const tokenText = z.string().max(16_000);

const loginBody = z
  .object({
    identity: z.string().max(200).describe('The alias of the OIDC issuer in the configuration.'),
    token: tokenText.describe('A token of that issuer.'),
  })
  .meta({ examples: [{ identity: 'github', token: 'eyJ…' }] });

const loggedInBody = z.object({
  success: z.literal(true),
  token: z.string().describe('To be sent as a bearer token: the very token that was given.'),
  expires_at: z.iso.datetime(),
  dashboard_url: z.string(),
});

const tokenBody = z.object({ token: tokenText.optional() });

const TAGS = ['Doppler'];
const OPEN = { open: true } as const;

const ENDS = {
  summary: 'Not offered: tokens end with their expiry or their entry in the configuration',
  // On this the CLI forgets the token all the same, and says that it is valid still.
  message:
    'The token is still valid: it ends with its expiry, or when its entry is taken out of the configuration. Its leases are not affected.',
};

const REFUSED = [
  { url: '/v3/auth/revoke', ...ENDS },
  { url: '/v3/auth/cli/revoke', ...ENDS },
  {
    url: '/v3/auth/cli/roll',
    summary: 'Not offered: tokens are made by `leasehold token create`',
    message: 'Tokens are not rolled here: make another one with "leasehold token create" and the same --subject.',
  },
];

/** How Doppler's CLI logs in and out. Nothing is kept of it: an issuer's token is accepted as it is, until its own end. */
export function dopplerLoginRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.post(
    '/v3/auth/oidc',
    {
      config: OPEN,
      schema: {
        tags: TAGS,
        security: [],
        summary: 'Log in with the token of an OIDC issuer, as `doppler oidc login` does',
        body: loginBody,
        response: { 200: loggedInBody, 400: errorBody, 401: errorBody, 404: errorBody, 502: errorBody },
      },
    },
    async (request) => {
      const { identity: alias, token } = request.body;
      if (!Object.hasOwn(deps.config().access.oidc, alias)) {
        throw refusal(404, 'not_found', 'The identity must be the alias of an OIDC issuer in the configuration.');
      }
      const identity = await deps.authenticate(`Bearer ${token}`);
      if (identity.tokenId !== `oidc/${alias}` || identity.expiresAt === null) {
        throw refusal(401, 'unauthenticated', `The token is none of the OIDC issuer ${alias}.`);
      }
      return {
        success: true as const,
        token,
        expires_at: identity.expiresAt.toISOString(),
        // There is none; the CLI wants a text and keeps it.
        dashboard_url: `${request.protocol}://${request.host}`,
      };
    },
  );

  for (const { url, summary, message } of REFUSED) {
    routes.post(
      url,
      { config: OPEN, schema: { tags: TAGS, security: [], summary, body: tokenBody, response: { 405: errorBody } } },
      () => {
        throw refusal(405, 'read_only', message);
      },
    );
  }

  routes.get(
    '/v3/auth/cli/generate/2',
    {
      config: OPEN,
      schema: {
        tags: TAGS,
        security: [],
        summary: 'Not offered: there is no login by browser',
        querystring: z.object({}),
        response: { 404: errorBody },
      },
    },
    () => {
      throw refusal(
        404,
        'not_found',
        'There is no login by browser here. Ask your operator for a token, or use "doppler oidc login", and give a token with DOPPLER_TOKEN or "doppler configure set token".',
      );
    },
  );
}
