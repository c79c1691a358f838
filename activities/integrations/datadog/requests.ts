/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment --
   The client declares bodies as classes and takes plain objects of their shape, as all of its own examples have them. */
import type { APIKeyCreateRequest } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/models/APIKeyCreateRequest.js';
import type { APIKeyUpdateRequest } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/models/APIKeyUpdateRequest.js';
import type { ApplicationKeyCreateRequest } from '@datadog/datadog-api-client/dist/packages/datadog-api-client-v2/models/ApplicationKeyCreateRequest.js';

export function apiKeyToMake(name: string): APIKeyCreateRequest {
  return { data: { type: 'api_keys', attributes: { name } } };
}

export function apiKeyToRename(id: string, name: string): APIKeyUpdateRequest {
  return { data: { id, type: 'api_keys', attributes: { name } } };
}

/** @param scopes null: none, so that the key may do all that its owner may. */
export function applicationKeyToMake(name: string, scopes: readonly string[] | null): ApplicationKeyCreateRequest {
  const attributes = { name, ...(scopes === null ? {} : { scopes: [...scopes] }) };
  return { data: { type: 'application_keys', attributes } };
}
