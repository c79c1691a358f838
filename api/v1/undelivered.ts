import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { disownBody, disownedBody } from '../../client/wire';
import { noteRevoke } from '../audit';
import { answer, errors } from '../describe';
import { identityOf, requireRight } from '../request';
import type { Routes } from '../server';
import { UNDELIVERED } from '../take-back';
import { toJwk } from './issue';
import { requireDynamicSecret } from './scope';

const headers = z.looseObject({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .meta({ description: 'That of the issue.', examples: ['export-2026-11-25'] }),
});

/** `POST /v1/leases/undelivered`. */
export const undeliveredRoutes: Routes = (app, deps) => {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/v1/leases/undelivered',
    {
      config: { mayLease: true },
      schema: {
        operationId: 'disownLease',
        tags: ['leases'],
        summary: 'Give up an issue whose answer was lost',
        description:
          'For a client that issued with an `Idempotency-Key` and a `recipient_jwk` and did not get the answer: revokes what that issue ' +
          'started, if anything, and says what has become of it. Needs the right `lease`, and starts nothing.',
        headers,
        body: disownBody,
        response: { 200: answer('What has become of it.', disownedBody), ...errors(403, 404, 413, 415, 502) },
      },
    },
    async (request) => {
      const identity = identityOf(request);
      requireRight(identity, 'lease');
      const { project, config, dynamic_secret: dynamicSecret, recipient_jwk: jwk, shared } = request.body;
      requireDynamicSecret(deps.config(), identity, { project, config, dynamicSecret });
      const { leaseId, undelivered } = await deps.leases.disown({
        project,
        config,
        dynamicSecret,
        recipientJwk: toJwk(jwk),
        holder: identity.holder,
        idempotencyKey: request.headers['idempotency-key'],
        shared: shared ?? false,
        onFound: (id) =>
          noteRevoke(deps, request, 'revoke_requested', {
            leaseId: id,
            project,
            config,
            dynamicSecret,
            reason: UNDELIVERED,
          }),
      });
      return { lease_id: leaseId, undelivered };
    },
  );
};
