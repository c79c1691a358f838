import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { loginBody } from '../../client/wire';
import type { LoginBody } from '../../client/wire';
import type { AccessSettings } from '../../config/load';
import { answer, openErrors } from '../describe';
import type { Routes } from '../server';

/** How people get a token in the first place. Open to everybody: what it tells is known to whoever signs in anywhere. */
export const loginRoutes: Routes = (app, deps) => {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/v1/login',
    {
      config: { open: true },
      schema: {
        operationId: 'login',
        tags: ['identity'],
        summary: 'Say how to sign in',
        description:
          'The OIDC issuers at which people can sign in from a command line, by a device authorization (RFC 8628). Needs no token.',
        security: [],
        response: { 200: answer('Issuers by alias; none: there are only tokens.', loginBody), ...openErrors() },
      },
    },
    () => Promise.resolve({ issuers: issuersOf(deps.config().access) }),
  );
};

function issuersOf({ oidc }: Pick<AccessSettings, 'oidc'>): LoginBody['issuers'] {
  return Object.entries(oidc).flatMap(([alias, { issuer, deviceLogin }]) => {
    if (deviceLogin === null) return [];
    const { clientId, scopes, token, parameters } = deviceLogin;
    return [{ alias, issuer, client_id: clientId, scopes: [...scopes], token, parameters: { ...parameters } }];
  });
}
