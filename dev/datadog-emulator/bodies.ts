import { Refused } from './answers';
import { isPermission } from './permissions';
import type { Permission } from './permissions';
import type { ApiKey, ApplicationKey } from './organization';

type Fields = Readonly<Record<string, unknown>>;

/** What a request to make an API key asks for. @throws Refused */
export function apiKeyWanted(body: unknown): Pick<ApiKey, 'name' | 'category' | 'remoteConfigReadEnabled'> {
  const attributes = attributesOf(body, 'api_keys');
  const { category = 'default', remote_config_read_enabled: remoteConfigReadEnabled = true } = attributes;
  if (typeof category !== 'string') throw invalid('category must be a string');
  if (typeof remoteConfigReadEnabled !== 'boolean') throw invalid('remote_config_read_enabled must be a boolean');
  return { name: nameOf(attributes), category, remoteConfigReadEnabled };
}

/** What a request to make an application key asks for. @throws Refused */
export function applicationKeyWanted(body: unknown): Pick<ApplicationKey, 'name' | 'scopes'> {
  const attributes = attributesOf(body, 'application_keys');
  return { name: nameOf(attributes), scopes: scopesOf(attributes) };
}

/** What a request to change an API key of this id asks for. @throws Refused */
export function apiKeyChange(body: unknown, id: string): Pick<ApiKey, 'name'> {
  return { name: nameOf(attributesOf(body, 'api_keys', id)) };
}

/** @throws Refused */
export function applicationKeyChange(body: unknown, id: string): Partial<Pick<ApplicationKey, 'name' | 'scopes'>> {
  const attributes = attributesOf(body, 'application_keys', id);
  return {
    ...('name' in attributes ? { name: nameOf(attributes) } : {}),
    ...('scopes' in attributes ? { scopes: scopesOf(attributes) } : {}),
  };
}

/** @param id what the body must name; absent: nothing. */
function attributesOf(body: unknown, type: string, id?: string): Fields {
  const data = fieldsOf(fieldsOf(body, 'body')['data'], 'data');
  if (data['id'] !== id) throw invalid('data.id must be the id of the path');
  if (data['type'] !== type) throw invalid(`data.type must be ${type}`);
  return fieldsOf(data['attributes'], 'data.attributes');
}

function nameOf({ name }: Fields): string {
  if (typeof name !== 'string' || name.trim() === '') throw invalid('name must not be blank');
  return name;
}

function scopesOf({ scopes = null }: Fields): readonly Permission[] | null {
  if (scopes === null) return null;
  // Whether an empty list means everything or nothing is nowhere said, so nobody shall rely on either.
  if (!Array.isArray(scopes) || scopes.length === 0) throw invalid('scopes must be a list of scopes, or null');
  const unknown = scopes.filter((scope) => !isPermission(scope));
  if (unknown.length > 0) throw invalid(`unknown scopes: ${unknown.join(', ')}`);
  return scopes as Permission[];
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${what} must be an object`);
  return value as Fields;
}

function invalid(problem: string): Refused {
  return new Refused(400, `Invalid request: ${problem}`);
}
