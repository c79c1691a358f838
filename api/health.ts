import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ApiDeps } from './deps';
import { answer } from './describe';
import { createReadiness, readinessSchema } from './readiness';
import { identityOf, requireRight } from './request';

const OPEN = { open: true, unlimited: true } as const;
const TAGS = ['process'];
const ENDS = 'This process is about to end.';

const healthSchema = z.object({ ok: z.boolean() });

/** Whether the process takes requests, whether it can do its work, and what it has done so far. */
export function healthRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const readiness = createReadiness(deps);
  const isLeaving = (): boolean => deps.isLeaving?.() === true;

  // Of itself alone: a balancer that goes by it loses no process because Temporal or one integration's worker is away.
  app.get(
    '/healthz',
    {
      config: OPEN,
      schema: {
        tags: TAGS,
        summary: 'Say whether the process takes requests',
        description: 'With or without Temporal. Needs no token.',
        security: [],
        response: {
          200: answer('It does.', healthSchema),
          503: answer('It is about to end.', healthSchema),
        },
      },
    },
    (_, reply) => reply.status(isLeaving() ? 503 : 200).send({ ok: !isLeaving() }),
  );

  app.get(
    '/readyz',
    {
      config: OPEN,
      schema: {
        tags: TAGS,
        summary: 'Say whether the process can do its work',
        description: 'Whether leases can be issued and ended now, and what is missing for that. Needs no token.',
        security: [],
        response: {
          200: answer('It can.', readinessSchema),
          503: answer('Something is missing, or it is about to end.', readinessSchema),
        },
      },
    },
    async (_, reply) => {
      // A balancer has to notice before the port is closed.
      const looked = await readiness({ atOnce: isLeaving() });
      const found = isLeaving() ? { ...looked, ready: false, problems: [ENDS, ...looked.problems] } : looked;
      return reply.status(found.ready ? 200 : 503).send(found);
    },
  );

  // They name integrations. LEASEHOLD_METRICS serves them without a token, to a network that is trusted.
  const metrics = {
    tags: TAGS,
    summary: 'Metrics of this process',
    description: 'As Prometheus reads them. Needs the right `admin`.',
  };
  app.get('/metrics', { schema: metrics }, async (request, reply) => {
    requireRight(identityOf(request), 'admin');
    const { contentType, body } = await deps.metrics.text();
    return reply.type(contentType).send(body);
  });
}
