import { quote } from '../workflows/quote';
import type { Config, DynamicSecret } from './config';

/** A dynamic secret, or which part of its name is not configured, with a sentence that names what is. */
export type FoundDynamicSecret =
  | { readonly ok: true; readonly dynamicSecret: DynamicSecret }
  | { readonly ok: false; readonly missing: 'project' | 'config' | 'dynamic secret'; readonly message: string };

const NAMES_SHOWN = 20;

/** Names may come from a caller and be anything. */
export function findDynamicSecret(
  config: Config,
  project: string,
  configName: string,
  name: string,
): FoundDynamicSecret {
  const projectSettings = own(config.projects, project);
  if (projectSettings === undefined) return missing('project', project, '', config.projects);
  const projectConfig = own(projectSettings.configs, configName);
  if (projectConfig === undefined)
    return missing('config', configName, ` in project ${project}`, projectSettings.configs);
  const dynamicSecret = own(projectConfig.dynamicSecrets, name);
  if (dynamicSecret !== undefined) return { ok: true, dynamicSecret };
  return missing('dynamic secret', name, ` in ${project}/${configName}`, projectConfig.dynamicSecrets);
}

/** The entry of a name that may come from a caller and be anything, `constructor` included. */
export function own<T>(record: Readonly<Record<string, T>>, name: unknown): T | undefined {
  return typeof name === 'string' && Object.hasOwn(record, name) ? record[name] : undefined;
}

function missing(
  what: 'project' | 'config' | 'dynamic secret',
  name: unknown,
  where: string,
  record: Readonly<Record<string, unknown>>,
): FoundDynamicSecret {
  const names = Object.keys(record);
  const rest = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  const known = names.length === 0 ? 'None is.' : `Known: ${names.slice(0, NAMES_SHOWN).join(', ')}${rest}.`;
  return { ok: false, missing: what, message: `No ${what} ${quote(name)} is configured${where}. ${known}` };
}
