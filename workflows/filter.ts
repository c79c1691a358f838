import type { BlockFilter, RevokeFilter } from './contract';

/** By what leases can be meant. */
export const FILTER_FIELDS = ['holder', 'project', 'config', 'dynamicSecret', 'integration', 'entity'] as const;

/** Whether two filters mean the same. */
export function sameFilter(one: RevokeFilter, other: RevokeFilter): boolean {
  return FILTER_FIELDS.every((field) => one[field] === other[field]);
}

/** Whether all that a filter gives is so. A filter that gives nothing means nothing. */
export function isMeant(filter: BlockFilter, lease: Required<BlockFilter>): boolean {
  const given = FILTER_FIELDS.filter(
    (field): field is keyof BlockFilter => (filter as RevokeFilter)[field] !== undefined,
  );
  return given.length > 0 && given.every((field) => filter[field] === lease[field]);
}

/** In words, for people: `holder token:ci, project backend`. */
export function describeFilter(filter: RevokeFilter): string {
  const given = FILTER_FIELDS.filter((field) => filter[field] !== undefined);
  return given.map((field) => `${NAMES[field]} ${filter[field] ?? ''}`).join(', ');
}

const NAMES: Readonly<Record<keyof RevokeFilter, string>> = {
  holder: 'holder',
  project: 'project',
  config: 'config',
  dynamicSecret: 'dynamic secret',
  integration: 'integration',
  entity: 'entity',
};
