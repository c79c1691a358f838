import type { Routes } from '../server';

/** The description of this API, open to everybody: it says nothing of what is configured. */
export const openapiRoutes: Routes = (app) => {
  app.get('/v1/openapi.json', { config: { open: true }, schema: { hide: true } }, () => Promise.resolve(app.swagger()));
};
