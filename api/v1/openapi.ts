import type { Routes } from '../server';

/** The description of this API, open to everybody: it says nothing of what is configured. */
export const openapiRoutes: Routes = (app) => {
  // Written once: it is there for whoever asks, and stays in memory for each who does not read his answer.
  let text: Buffer | null = null;
  app.get('/v1/openapi.json', { config: { open: true }, schema: { hide: true } }, (_, reply) => {
    text ??= Buffer.from(JSON.stringify(app.swagger()));
    return reply.type('application/json; charset=utf-8').send(text);
  });
};
