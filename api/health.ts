import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ApiDeps } from './deps';
import { createReadiness, readinessSchema } from './readiness';
import { identityOf, requireRight } from './request';

const OPEN = { open: true, unlimited: true } as const;

/** Whether the process lives, whether it can do its work, and what it has done so far. */
export function healthRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const readiness = createReadiness(deps);

  app.get('/healthz', { config: OPEN, schema: { response: { 200: z.object({ ok: z.literal(true) }) } } }, () => ({
    ok: true,
  }));

  app.get(
    '/readyz',
    { config: OPEN, schema: { response: { 200: readinessSchema, 503: readinessSchema } } },
    async (_, reply) => {
      const found = await readiness();
      return reply.status(found.ready ? 200 : 503).send(found);
    },
  );

  // They name integrations. LEASEHOLD_METRICS serves them without a token, to a network that is trusted.
  app.get('/metrics', async (request, reply) => {
    requireRight(identityOf(request), 'admin');
    const { contentType, body } = await deps.metrics.text();
    return reply.type(contentType).send(body);
  });
}
