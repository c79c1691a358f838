import type { FastifyInstance, RouteOptions } from 'fastify';
import { refusal } from './errors';

/**
 * Watches which routes are made from now on. What it answers is to be called once they all are: from then on any other method of a
 * known path is refused with 405 and the methods that it has.
 */
export function watchMethods(app: FastifyInstance): () => void {
  const known = new Map<string, Set<string>>();
  let isOver = false;
  app.addHook('onRoute', ({ method, url }: RouteOptions & { readonly url: string }) => {
    if (isOver) return;
    const methods = known.get(url) ?? new Set();
    for (const each of [method].flat()) methods.add(each.toUpperCase());
    known.set(url, methods);
  });
  return () => {
    isOver = true;
    for (const [url, methods] of known) refuseOthers(app, url, methods);
  };
}

function refuseOthers(app: FastifyInstance, url: string, methods: ReadonlySet<string>): void {
  const others = app.supportedMethods.filter((method) => !methods.has(method));
  if (others.length === 0) return;
  const allowed = [...methods].sort().join(', ');
  app.route({
    method: others,
    url,
    config: { open: true },
    schema: { hide: true },
    onRequest: (request, reply) => {
      void reply.header('allow', allowed);
      throw refusal(405, 'method_not_allowed', `${request.method} is not possible here; ${allowed} is.`);
    },
    handler: () => undefined,
  });
}
