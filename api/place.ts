import type { FastifyRequest } from 'fastify';
import { own } from '../config/load';
import type { Config } from '../config/load';
import { quote } from '../workflows/quote';
import type { ApiDeps } from './deps';
import { refusal } from './errors';
import { isInScope } from './identity/identity';
import type { Identity } from './identity/identity';

export type ConfigSettings = Config['projects'][string]['configs'][string];

/** A config in which somebody may act. */
export interface Place {
  readonly project: string;
  readonly config: string;
  readonly settings: ConfigSettings;
}

/** Names as they were given; empty: to be derived from the token. */
export interface Where {
  readonly project: string;
  readonly config: string;
}

/**
 * The config that is meant. What is left out is taken from the token, if it may act in exactly one config that fits.
 * @throws ApiError 400 if it does not say which one, 404 if there is none or the token may not act there.
 */
export function findPlace(config: Config, identity: Identity, where: Where): Place {
  const { project, config: name } = completed(identity, where);
  const settings = own(own(config.projects, project)?.configs ?? {}, name);
  if (settings !== undefined && isInScope(identity, project, name)) return { project, config: name, settings };
  throw refusal(
    404,
    'not_found',
    `There is no config ${quote(name)} in a project ${quote(project)}, or this token may not act in it.`,
  );
}

function completed({ scopes }: Identity, where: Where): Where {
  if (where.project !== '' && where.config !== '') return where;
  const fitting = scopes.filter(
    ({ project, config }) =>
      project !== '*' &&
      config !== '*' &&
      (where.project === '' || where.project === project) &&
      (where.config === '' || where.config === config),
  );
  const [only] = fitting;
  if (fitting.length === 1 && only !== undefined && scopes.length === 1) return only;
  throw refusal(
    400,
    'invalid_input',
    'This token is not of one config alone: name the project and the config (doppler: --project and --config).',
    { field: where.project === '' ? 'project' : 'config' },
  );
}

/** Projects in which somebody may act at least in one config. */
export function visibleProjects({ projects }: Config, identity: Identity): readonly string[] {
  return Object.keys(projects)
    .filter((project) => visibleConfigs({ projects }, identity, project).length > 0)
    .sort();
}

/** Configs of a project in which somebody may act. */
export function visibleConfigs(
  { projects }: Pick<Config, 'projects'>,
  identity: Identity,
  project: string,
): readonly string[] {
  return Object.keys(own(projects, project)?.configs ?? {})
    .filter((config) => isInScope(identity, project, config))
    .sort();
}

/**
 * Whether a request may be about a config with dynamic secrets, of which Doppler's CLI keeps an old copy. If it is not known
 * which config is meant, it may.
 */
export function mayHoldDynamicSecrets({ config }: ApiDeps, { identity, query }: FastifyRequest): boolean {
  if (identity === null) return true;
  try {
    const { project, config: name } = (query ?? {}) as Readonly<Record<string, unknown>>;
    const where = { project: textOf(project), config: textOf(name) };
    return Object.keys(findPlace(config(), identity, where).settings.dynamicSecrets).length > 0;
  } catch {
    return true;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
