import type { ManyFilter } from '../../client/http';
import { printable } from '../output/printable';
import type { FilterFlags } from '../filter-options';

const NAMES: Readonly<Record<keyof ManyFilter, string>> = {
  holder: 'holder',
  project: 'project',
  config: 'config',
  dynamicSecret: 'dynamic secret',
  integration: 'integration',
  entity: 'entity',
};

const FIELDS = Object.keys(NAMES) as readonly (keyof ManyFilter)[];

/** What was given of it. */
export function readFilter(flags: FilterFlags): ManyFilter {
  return Object.fromEntries(FIELDS.filter((field) => flags[field] !== undefined).map((field) => [field, flags[field]]));
}

export function isEmpty(filter: ManyFilter): boolean {
  return Object.keys(filter).length === 0;
}

/** In words: `holder token:ci, project backend`. */
export function describeFilter(filter: ManyFilter): string {
  const given = FIELDS.filter((field) => filter[field] !== undefined);
  return printable(given.map((field) => `${NAMES[field]} ${filter[field] ?? ''}`).join(', '));
}
