import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { quote } from '../../workflows/quote';
import type { ApiDeps } from '../deps';
import { refusal } from '../errors';
import { identityOf, requireRight } from '../request';
import { findPlace, visibleConfigs, visibleProjects } from '../place';
import { cutPage, pageQuery, whereQuery } from './query';
import { failures } from './secrets';

const text = z.string();
/** Instants that the configuration does not know. */
const unknown = z.null();

const projectBody = z.object({ id: text, slug: text, name: text, description: text, created_at: unknown });
const environmentBody = z.object({
  id: text,
  slug: text,
  name: text,
  project: text,
  created_at: unknown,
  initial_fetch_at: unknown,
});
const configBody = z.object({
  name: text,
  slug: text,
  project: text,
  environment: text,
  root: z.literal(true),
  locked: z.literal(true).describe('Always: what a config holds is changed in the configuration.'),
  inheritable: z.literal(false),
  inheriting: z.literal(false),
  inherits: z.array(text),
  inheritedBy: z.array(text),
  created_at: unknown,
  initial_fetch_at: unknown,
  last_fetch_at: unknown,
});
const meBody = z.object({
  success: z.literal(true),
  workplace: z.object({ name: text, slug: text }),
  type: text,
  name: text,
  slug: text,
  token_preview: text,
  created_at: text,
  last_seen_at: text,
  expires_at: text.nullable(),
});

const projectQuery = z.object({ project: whereQuery.shape.project });
const listQuery = projectQuery.extend(pageQuery.shape);
const environmentQuery = projectQuery.extend({
  environment: z
    .string()
    .max(100)
    .default('')
    .meta({ examples: ['prd'] }),
});
const configsQuery = listQuery.extend({ environment: z.string().max(100).optional() });

const tags = ['Doppler'];

/** Projects, configs and environments as the configuration has them. Each config is an environment of its own. */
export function structureRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  const me = { tags, summary: 'Say who asks', response: { 200: meBody, ...failures } };
  routes.get('/v3/me', { schema: me }, (request) => {
    const { tokenId, holder, expiresAt } = identityOf(request);
    return {
      success: true as const,
      workplace: { name: 'Leasehold', slug: 'leasehold' },
      type: 'service_token',
      name: holder,
      slug: tokenId,
      token_preview: tokenId,
      created_at: '',
      last_seen_at: new Date().toISOString(),
      expires_at: expiresAt?.toISOString() ?? null,
    };
  });

  const projectsBody = z.object({ success: z.literal(true), projects: z.array(projectBody) });
  routes.get(
    '/v3/projects',
    {
      schema: {
        tags,
        summary: 'List projects',
        querystring: pageQuery,
        response: { 200: projectsBody, ...failures },
      },
    },
    (request) => {
      const projects = visibleProjects(deps.config(), identityOf(request));
      return { success: true as const, projects: cutPage(projects, request.query).map(toProject) };
    },
  );

  routes.get(
    '/v3/projects/project',
    {
      schema: {
        tags,
        summary: 'Get a project',
        querystring: projectQuery,
        response: { 200: z.object({ success: z.literal(true), project: projectBody }), ...failures },
      },
    },
    (request) => ({ success: true as const, project: toProject(project(deps, request, request.query.project)) }),
  );

  const environmentsBody = z.object({ success: z.literal(true), environments: z.array(environmentBody) });
  routes.get(
    '/v3/environments',
    {
      schema: {
        tags,
        summary: 'List environments: each config is one of its own',
        querystring: listQuery,
        response: { 200: environmentsBody, ...failures },
      },
    },
    (request) => {
      const name = project(deps, request, request.query.project);
      const configs = visibleConfigs(deps.config(), identityOf(request), name);
      return {
        success: true as const,
        environments: cutPage(configs, request.query).map((each) => toEnvironment(name, each)),
      };
    },
  );

  routes.get(
    '/v3/environments/environment',
    {
      schema: {
        tags,
        summary: 'Get an environment',
        querystring: environmentQuery,
        response: { 200: z.object({ success: z.literal(true), environment: environmentBody }), ...failures },
      },
    },
    (request) => {
      const { project: asked, environment } = request.query;
      const place = findPlace(deps.config(), identityOf(request), { project: asked, config: environment });
      return { success: true as const, environment: toEnvironment(place.project, place.config) };
    },
  );

  const configsBody = z.object({ success: z.literal(true), configs: z.array(configBody) });
  routes.get(
    '/v3/configs',
    {
      schema: {
        tags,
        summary: 'List configs of a project',
        querystring: configsQuery,
        response: { 200: configsBody, ...failures },
      },
    },
    (request) => {
      const { environment } = request.query;
      const name = project(deps, request, request.query.project);
      const configs = visibleConfigs(deps.config(), identityOf(request), name).filter(
        (each) => environment === undefined || environment === '' || each === environment,
      );
      return {
        success: true as const,
        configs: cutPage(configs, request.query).map((each) => toConfig(name, each)),
      };
    },
  );

  routes.get(
    '/v3/configs/config',
    {
      schema: {
        tags,
        summary: 'Get a config',
        querystring: whereQuery,
        response: { 200: z.object({ success: z.literal(true), config: configBody }), ...failures },
      },
    },
    (request) => {
      const place = findPlace(deps.config(), identityOf(request), request.query);
      return { success: true as const, config: toConfig(place.project, place.config) };
    },
  );

  routes.get(
    '/v3/configs/config/ping',
    {
      schema: {
        tags,
        summary: 'Say whether secrets of a config can be read',
        querystring: whereQuery,
        response: { 200: z.object({ success: z.literal(true) }), ...failures },
      },
    },
    (request) => {
      const identity = identityOf(request);
      findPlace(deps.config(), identity, request.query);
      requireRight(identity, 'read');
      return { success: true as const };
    },
  );
}

/** The project that is meant; empty: the only one that the token sees. */
function project(deps: ApiDeps, request: Parameters<typeof identityOf>[0], asked: string): string {
  const visible = visibleProjects(deps.config(), identityOf(request));
  const [only] = visible;
  if (asked === '' && visible.length === 1 && only !== undefined) return only;
  if (asked === '') {
    throw refusal(
      400,
      'invalid_input',
      'This token is not of one project alone: name the project (doppler: --project).',
      {
        field: 'project',
      },
    );
  }
  if (visible.includes(asked)) return asked;
  throw refusal(404, 'not_found', `There is no project ${quote(asked)}, or this token may not act in it.`);
}

function toProject(name: string): z.output<typeof projectBody> {
  return { id: name, slug: name, name, description: '', created_at: null };
}

function toEnvironment(inProject: string, name: string): z.output<typeof environmentBody> {
  return { id: name, slug: name, name, project: inProject, created_at: null, initial_fetch_at: null };
}

function toConfig(inProject: string, name: string): z.output<typeof configBody> {
  return {
    name,
    slug: name,
    project: inProject,
    environment: name,
    root: true,
    locked: true,
    inheritable: false,
    inheriting: false,
    inherits: [],
    inheritedBy: [],
    created_at: null,
    initial_fetch_at: null,
    last_fetch_at: null,
  };
}
